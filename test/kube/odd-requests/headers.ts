import { CONFIG_MAPS, chunked, get, map, type Named, ONE, send, text } from './build.ts';

export const HEADERS: Named = [
  ['a token that is wrong', get(ONE, { authorization: 'Bearer wrong' })],
  ['no token', get(ONE, { authorization: '' })],
  ['Basic', get(ONE, { authorization: 'Basic YTpi' })],
  ['a bearer without a token', get(ONE, { authorization: 'Bearer' })],
  ['a bearer with a blank', get(ONE, { authorization: 'Bearer ' })],
  ['a bearer with two words', get(ONE, { authorization: 'Bearer a b' })],
  ['a wrong token for health', get('/readyz', { authorization: 'Bearer wrong' })],
  ['a token that looks like one of an account', get(ONE, { authorization: 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA' })],
  ['a group without a user', get(ONE, { 'impersonate-group': 'a' })],
  ['a user', get(ONE, { 'impersonate-user': 'alice' })],
  ['a user called __proto__', get(ONE, { 'impersonate-user': '__proto__', 'impersonate-extra-__proto__': 'a' })],
  ['an account that cannot be', get(ONE, { 'impersonate-user': 'system:serviceaccount:A:B' })],
  ['an extra without a user', get(ONE, { 'impersonate-extra-a%zz': 'b' })],
  ['another charset', send('POST', `${CONFIG_MAPS}?dryRun=All`, 'application/json; charset=utf-16', text(map({})))],
  ['a content type twice', send('POST', `${CONFIG_MAPS}?dryRun=All`, 'application/json, text/plain', text(map({})))],
  [
    'a content type that is long',
    send('POST', `${CONFIG_MAPS}?dryRun=All`, `application/json; a=${'b'.repeat(5000)}`, text(map({}))),
  ],
  ['a patch without a type', { method: 'PATCH', target: ONE, body: '{}' }],
  ['a patch with a type in large letters', send('PATCH', `${ONE}?dryRun=All`, 'Application/Merge-Patch+JSON', '{}')],
  ['a patch with a charset', send('PATCH', `${ONE}?dryRun=All`, 'application/merge-patch+json; charset=utf-8', '{}')],
  ['a patch as JSON', send('PATCH', `${ONE}?dryRun=All`, 'application/json', '{}')],
  ['a patch as protobuf', send('PATCH', `${ONE}?dryRun=All`, 'application/vnd.kubernetes.protobuf', 'k8s\0')],
  ['a deletion with a body that is none', send('DELETE', `${ONE}?dryRun=All`, 'application/json', '{')],
  ['a deletion with another kind', send('DELETE', `${ONE}?dryRun=All`, 'application/json', text(map({})))],
  ['a deletion with a list', send('DELETE', `${ONE}?dryRun=All`, 'application/json', '[]')],
  [
    'a deletion with a text as a grace period',
    send('DELETE', `${ONE}?dryRun=All`, 'application/json', '{"gracePeriodSeconds":"a"}'),
  ],
  [
    'a deletion with preconditions that are a text',
    send('DELETE', `${ONE}?dryRun=All`, 'application/json', '{"preconditions":"a"}'),
  ],
  ['a deletion with a body in plain text', send('DELETE', `${ONE}?dryRun=All`, 'text/plain', 'abc')],
  ['a body of a GET', send('GET', ONE, 'application/json', '{"a":1}')],
  ['an Accept that is long', get(ONE, { accept: `${'a/b,'.repeat(2000)}*/*` })],
  ['an Accept that is none', get(ONE, { accept: ',;q=;;=,' })],
  ['an Accept with a quality that is none', get(ONE, { accept: 'application/json;q=abc' })],
  [
    'a chunked body',
    {
      method: 'POST',
      target: `${CONFIG_MAPS}?dryRun=All`,
      headers: [
        ['transfer-encoding', 'chunked'],
        ['content-type', 'application/json'],
      ],
      body: chunked(text(map({}))),
    },
  ],
  [
    'a chunked body of more than 3 MiB',
    {
      method: 'POST',
      target: `${CONFIG_MAPS}?dryRun=All`,
      headers: [
        ['transfer-encoding', 'chunked'],
        ['content-type', 'application/json'],
      ],
      body: chunked(`{"a":"${'x'.repeat(3 * 1024 * 1024)}"}`),
    },
  ],
  [
    'chunks that are none',
    {
      method: 'POST',
      target: `${CONFIG_MAPS}?dryRun=All`,
      headers: [
        ['transfer-encoding', 'chunked'],
        ['content-type', 'application/json'],
      ],
      body: 'zz\r\n{}\r\n',
    },
  ],
  [
    'an expectation',
    send('POST', `${CONFIG_MAPS}?dryRun=All`, 'application/json', text(map({})), { headers: { expect: '100-continue' } }),
  ],
  ['another expectation', get(ONE, { expect: 'the impossible' })],
  ['another host', get(ONE, { host: 'example.com:1' })],
  ['no host', get(ONE, { host: '' })],
];
