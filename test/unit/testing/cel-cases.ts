import type { StructuralSchema } from 'clusterset/kube';

/** One rule on one field, and values that the field is given: first one that is stored, then one that replaces it. */
export interface CelCase {
  readonly name: string;
  readonly schema: StructuralSchema;
  readonly value: unknown;
  /** What was there before; absent: the value is created. */
  readonly old?: unknown;
}

type Rules = string | readonly (string | Readonly<Record<string, unknown>>)[];

const text = { type: 'string', maxLength: 64 };
const int = { type: 'integer' };
const dbl = { type: 'number' };
const list = (items: object, more: object = {}): StructuralSchema => ({ type: 'array', maxItems: 8, items, ...more });
const map = (additionalProperties: object, more: object = {}): StructuralSchema => ({
  type: 'object',
  maxProperties: 8,
  additionalProperties,
  ...more,
});
const object = (properties: object, more: object = {}): StructuralSchema => ({ type: 'object', properties, ...more });

/** A schema with rules: texts are rules without anything else. */
function ruled(schema: object, rules: Rules): StructuralSchema {
  const all = typeof rules === 'string' ? [rules] : rules;
  return { ...schema, 'x-kubernetes-validations': all.map((rule) => (typeof rule === 'string' ? { rule } : rule)) };
}

const created = (name: string, schema: object, rules: Rules, value: unknown): CelCase => ({
  name,
  schema: ruled(schema, rules),
  value,
});
const changed = (name: string, schema: StructuralSchema, old: unknown, value: unknown): CelCase => ({ name, schema, old, value });

/** Expressions without data: each is a rule on a number that is there. */
const EXPRESSIONS: readonly string[] = [
  // Arithmetic and comparison
  'self + 9223372036854775807 > 0',
  '1 / (self - 1) == 1',
  '1 % (self - 1) == 1',
  '-7 / 2 == -3 && -7 % 2 == -1',
  '-9223372036854775808 - self < 0',
  'dyn(self) == 1.0',
  'dyn(self) == "1"',
  'dyn(1u) == self',
  'self < 1.5 && 0.5 < self',
  'double(self) / 0.0 > 1.0e308',
  'uint(self) - 2u == 0u',
  'int(1.9) == 1 && int(-1.9) == -1',
  'int("12") == 12 && double("1.5e1") == 15.0',
  'string(1.0) == "1" && string(1.5) == "1.5" && string(self) == "1"',
  'string(1e21) == "1e+21"',
  'bool("true") && bool("1")',
  'type(self) == int && type(1u) == uint && type([1]) == list && type({1: 2}) == map && type("") == string',
  'type(type(self)) == type',
  '0x1F == 31',
  '[1, 2, 3][self + 5] == 1',
  '{"a": 1}["b"] == 1',
  'self > 0 || 1 / 0 == 1',
  '1 / 0 == 1 || self > 0',
  '1 / 0 == 1 && self > 5',
  '1 / 0 == 1 && self > 0',
  'self > 0 ? true : 1 / 0 == 1',
  'self in [1, 2] && !(3 in [1, 2]) && "a" in {"a": 1}',
  '["x", "5"].map(s, int(s)) == [5]',
  '["x"].exists(s, duration(s) > duration("1s"))',
  // Texts
  '"tacocat".charAt(3) == "o" && "tacocat".charAt(7) == ""',
  '"abc".charAt(9) == ""',
  '"tacocat".indexOf("ac") == 1 && "tacocat".indexOf("a", 3) == 5 && "tacocat".indexOf("") == 0',
  '"tacocat".lastIndexOf("a") == 5 && "tacocat".lastIndexOf("zz") == -1 && "tacocat".lastIndexOf("a", 3) == 1',
  '"TacoCÀt".lowerAscii() == "tacocÀt" && "tàco".upperAscii() == "TàCO"',
  '"hello hello".replace("he", "we") == "wello wello" && "hello hello".replace("he", "we", 1) == "wello hello"',
  '"abc".replace("", "_") == "_a_b_c_"',
  '"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"] && "abc".split("") == ["a", "b", "c"]',
  '"a,b".split(",", 0) == []',
  '"tacocat".substring(4) == "cat" && "tacocat".substring(0, 4) == "taco"',
  '"tacocat".substring(4, 2) == ""',
  '"tacocat".substring(0, 40) == ""',
  '"  \\ttrim\\n ".trim() == "trim"',
  'size("é😀") == 2 && "é😀".size() == 2 && "é😀".charAt(1) == "😀"',
  '"\\u00e9\\x41\\101\\U0001F600" == "éAA😀"',
  'r"\\d" == "\\\\d"',
  '"\uffff" < "😀" && "a" < "b" && "" < "a"',
  '"%s/%s".format(["a", "b"]) == "a/b"',
  '"%d %x %X %o %b".format([255, 255, 255, 8, 5]) == "255 ff FF 10 101"',
  '"%.2f".format([1.5]) == "1.50"',
  '"%s".format([[1, 2]]) == "[1, 2]"',
  'strings.quote("a\\"b\\n") == "\\"a\\\\\\"b\\\\n\\""',
  '"abc".matches("^[a-c]+$") && !"abd".matches("^[a-c]+$") && "xaby".matches("ab")',
  '"ABC".matches("(?i)^abc$") && "a1".matches("^[[:alpha:]][[:digit:]]$") && "é".matches("^\\\\pL$")',
  '"abc 123 45".find("[0-9]+") == "123" && "abc".find("[0-9]+") == ""',
  '"1 22 333".findAll("[0-9]+") == ["1", "22", "333"] && "1 22 333".findAll("[0-9]+", 2) == ["1", "22"]',
  'b"abc" + b"d" == b"abcd" && size(b"abc") == 3 && string(b"abc") == "abc"',
  // Lists, maps and macros
  '[1, 2] + [3] == [1, 2, 3] && [1, 2] != [2, 1]',
  '{"a": 1, "b": 2} == {"b": 2, "a": 1} && {"a": 1} != {"a": 2}',
  '[1, 2, 3].all(x, x > 0) && [1, 2, 3].exists(x, x == self) && [1, 2, 3].exists_one(x, x == 3)',
  '[0, 1].exists(x, 1 / x == 1)',
  '[0, 2].exists(x, 1 / x == 1)',
  '[1, 0].all(x, 1 / x > 5)',
  '[0, 1].exists_one(x, 1 / x == 1)',
  '[1, 2, 3].map(x, x * 2) == [2, 4, 6] && [1, 2, 3].map(x, x > 1, x * 2) == [4, 6] && [1, 2, 3].filter(x, x > 1) == [2, 3]',
  '{"a": 1, "b": 2}.all(k, k in ["a", "b"]) && {"a": 1}.exists(k, k == "a")',
  '[1, 2].all(i, v, v == i + 1) && {"a": 1}.exists(k, v, k == "a" && v == 1) && [1, 2].existsOne(i, v, i == v - 1 && v == 1)',
  '[1, 2].transformList(i, v, i * v) == [0, 2] && [1, 2].transformList(i, v, i > 0, v) == [2]',
  '{"a": 1}.transformMap(k, v, v + 1) == {"a": 2} && [5].transformMap(i, v, v) == {0: 5}',
  '{"a": "b"}.transformMapEntry(k, v, {v: k}) == {"b": "a"}',
  '[1, 2, 2].isSorted() && ![2, 1].isSorted() && [1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0',
  '[3, 1, 2].min() == 1 && [3, 1, 2].max() == 3',
  '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1',
  '[[1], [2, 3]].flatten() == [1, 2, 3] && [1, 2, 3].slice(1, 3) == [2, 3] && [1, 2, 2].distinct() == [1, 2]',
  '[3, 1, 2].sort() == [1, 2, 3] && [1, 2, 3].reverse() == [3, 2, 1] && lists.range(3) == [0, 1, 2]',
  '["bb", "a"].sortBy(s, s.size()) == ["a", "bb"]',
  '[1, 2].first().value() == 1 && [1, 2].last().value() == 2',
  'sets.contains([1, 2, 3], [1, 3]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])',
  // Optional values
  'optional.of(1).hasValue() && !optional.none().hasValue() && optional.none().orValue(5) == 5',
  'optional.none().or(optional.of(2)).value() == 2 && optional.of(self).optMap(x, x + 1).value() == 2',
  '{"a": 1}[?"a"].orValue(0) == 1 && {"a": 1}[?"b"].orValue(0) == 0 && [1][?5].orValue(7) == 7',
  '{"a": {"b": 1}}.?a.b.orValue(0) == 1 && {"a": {"b": 1}}.?c.b.orValue(0) == 0',
  'optional.none().value() == 1',
  // Times
  'timestamp("2024-01-01T00:00:00Z") + duration("1h30m") == timestamp("2024-01-01T01:30:00Z")',
  'timestamp("2024-03-01T00:00:00Z").getDayOfYear() == 60 && timestamp("2024-03-05T00:00:00Z").getDate() == 5 && timestamp("2024-03-05T00:00:00Z").getDayOfMonth() == 4',
  'timestamp("2024-01-01T00:00:00.123456789Z") > timestamp("2024-01-01T00:00:00.123456788Z")',
  'duration("90m").getHours() == 1 && duration("90m").getMinutes() == 90 && string(duration("90s")) == "90s"',
  'string(duration("1.5s")) == "1.5s" && string(timestamp("2024-01-01T00:00:00.5Z")) == "2024-01-01T00:00:00.5Z"',
  'duration("-1.5s") < duration("0s") && timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z") == duration("24h")',
  'timestamp("2024-01-01T23:30:00Z").getHours("+02:00") == 1 && timestamp("2024-07-01T12:00:00Z").getHours("Europe/Berlin") == 14',
  // Kubernetes' libraries
  'quantity("1Gi").isGreaterThan(quantity("500Mi")) && quantity("1k") == quantity("1000") && quantity("1.5").compareTo(quantity("1500m")) == 0',
  'quantity("50k").add("20k" == "" ? quantity("1") : quantity("20k")) == quantity("70k") && quantity("50k").sub(20) == quantity("49980")',
  'quantity("1500m").isInteger() == false && quantity("50k").asInteger() == 50000 && quantity("1500m").asApproximateFloat() == 1.5',
  'isQuantity("1.3Gi") && !isQuantity("x") && !isQuantity("1,5")',
  'quantity("nope") == quantity("1")',
  'url("https://example.com:80/path?k=a&k=b#f").getHost() == "example.com:80" && url("https://[::1]:80/").getHostname() == "::1"',
  'url("https://example.com:80/p%20q?k=a&k=b").getEscapedPath() == "/p%20q" && url("https://example.com/?k=a&k=b").getQuery()["k"] == ["a", "b"]',
  'isURL("https://a/b") && isURL("/absolute") && !isURL("relative") && !isURL("../x") && url("http://a").getPort() == ""',
  'isIP("127.0.0.1") && isIP("::1") && !isIP("1.2.3") && !isIP("01.2.3.4") && ip("::1").family() == 6 && ip("10.0.0.1").family() == 4',
  'ip("127.0.0.1").isLoopback() && ip("0.0.0.0").isUnspecified() && ip("fe80::1").isLinkLocalUnicast() && ip("224.0.0.1").isLinkLocalMulticast() && ip("10.1.1.1").isGlobalUnicast()',
  'ip.isCanonical("2001:db8::abcd") && !ip.isCanonical("2001:DB8::ABCD") && ip("2001:DB8::ABCD") == ip("2001:db8::abcd") && string(ip("::1")) == "::1"',
  'isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0") && cidr("10.0.0.0/8").containsIP("10.1.2.3") && cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")',
  'cidr("10.1.2.3/16").masked() == cidr("10.1.0.0/16") && cidr("10.0.0.0/8").prefixLength() == 8 && cidr("::1/128").ip() == ip("::1")',
  'semver("1.2.3").major() == 1 && semver("1.2.3").isLessThan(semver("1.10.0")) && semver("1.0.0-rc.1").isLessThan(semver("1.0.0"))',
  'isSemver("1.2.3") && !isSemver("v1.2") && isSemver("v1.2", true) && semver("v1.2", true) == semver("1.2.0")',
  '!format.dns1123Label().validate("my-label").hasValue() && format.named("dns1123Label").value().validate("My Label").hasValue()',
  '!format.uuid().validate("123e4567-e89b-12d3-a456-426614174000").hasValue() && format.uuid().validate("x").value() == ["does not match the UUID format"]',
  'format.named("unknown").hasValue()',
];

const UNIT = object({ unit: text, size: int, optional: text, nested: object({ port: int }) });
const NAMED = list(object({ name: text, port: int }, { required: ['name'] }), {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
});
const SET = list(text, { 'x-kubernetes-list-type': 'set' });

export const CASES: readonly CelCase[] = [
  ...EXPRESSIONS.map((rule) => created(rule, int, rule, 1)),
  // Fields
  created('a field that is not set', UNIT, 'self.size > 0', { unit: 'a' }),
  created('a field behind has()', UNIT, '!has(self.size) || self.size > 0', { unit: 'a' }),
  created('a field of an object that is not set', UNIT, 'has(self.nested.port)', {}),
  created('fields in a chain of optional values', UNIT, 'self.?nested.port.orValue(1) == 1', {}),
  created('two rules that fail', UNIT, ['self.size > 10', 'self.size > 20'], { size: 1 }),
  created('a rule that fails and one that has no answer', UNIT, ['self.size > 10', 'self.optional == ""'], { size: 1 }),
  created(
    'a field with a dash, a dot, a slash, underscores and a reserved name',
    object({ 'a-b': int, 'c.d': int, 'e/f': int, g__h: int, namespace: int }),
    'self.a__dash__b + self.c__dot__d + self.e__slash__f + self.g__underscores__h + self.__namespace__ == 15',
    { 'a-b': 1, 'c.d': 2, 'e/f': 3, g__h: 4, namespace: 5 },
  ),
  created(
    'a field that may be null',
    object({ a: { type: 'object', nullable: true, properties: { b: int } } }),
    'has(self.a) && self.a == null',
    { a: null },
  ),
  created(
    'a value that is null is not asked',
    object({ a: ruled({ type: 'string', nullable: true, maxLength: 5 }, 'self == "x"') }),
    'true',
    { a: null },
  ),
  created(
    'an int or text, as int',
    object({ p: { 'x-kubernetes-int-or-string': true, maxLength: 9 } }),
    'type(self.p) == int ? self.p < 5 : self.p.endsWith("%")',
    { p: 7 },
  ),
  created(
    'an int or text, as text',
    object({ p: { 'x-kubernetes-int-or-string': true, maxLength: 9 } }),
    'type(self.p) == int ? self.p < 5 : self.p.endsWith("%")',
    { p: '7%' },
  ),
  created(
    'an int or text that does not fit the operator',
    object({ p: { 'x-kubernetes-int-or-string': true, maxLength: 9 } }),
    'self.p < 5',
    { p: 'x' },
  ),
  created(
    'a time, a day, a duration and bytes',
    object({
      t: { type: 'string', format: 'date-time' },
      d: { type: 'string', format: 'date' },
      u: { type: 'string', format: 'duration' },
      b: { type: 'string', format: 'byte', maxLength: 9 },
    }),
    'self.t > timestamp("2024-01-01T00:00:00Z") && self.d.getFullYear() == 2024 && self.u > duration("1h") && self.b == b"abc"',
    { t: '2024-05-01T00:00:00Z', d: '2024-05-01', u: '2h', b: 'YWJj' },
  ),
  created('a number without a fraction', object({ n: dbl }), 'self.n / 2.0 == 0.5', { n: 1 }),
  created(
    'unknown fields that are kept are no part of an object',
    object({ a: int }, { 'x-kubernetes-preserve-unknown-fields': true }),
    'self.a == 1',
    { a: 1, b: 2 },
  ),
  created(
    'an embedded resource',
    object({ r: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } }),
    'self.r.kind == "Pod" && self.r.metadata.name == "a"',
    { r: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } } },
  ),
  // Lists and maps
  created('sets are equal in any order', object({ a: SET, b: SET }), 'self.a == self.b', { a: ['x', 'y'], b: ['y', 'x'] }),
  created('sets are united', object({ a: SET, b: SET }), '(self.a + self.b).size() == 2', { a: ['x', 'y'], b: ['y'] }),
  changed(
    'lists with keys are equal in any order',
    ruled(NAMED, 'self == oldSelf'),
    [{ name: 'x' }, { name: 'y', port: 1 }],
    [{ name: 'y', port: 1 }, { name: 'x' }],
  ),
  changed(
    'lists with keys that differ',
    ruled(NAMED, 'self == oldSelf'),
    [{ name: 'x' }, { name: 'y', port: 1 }],
    [{ name: 'y', port: 2 }, { name: 'x' }],
  ),
  changed(
    'lists with keys are merged',
    ruled(NAMED, '(oldSelf + self).size() == 2 && (oldSelf + self)[0].port == 5'),
    [{ name: 'x', port: 1 }],
    [{ name: 'x', port: 5 }, { name: 'y' }],
  ),
  created('other lists are equal in their order only', object({ a: list(text), b: list(text) }), 'self.a == self.b', {
    a: ['x', 'y'],
    b: ['y', 'x'],
  }),
  created('rules on items', list(ruled(int, 'self > 1')), 'true', [1, 2, 0]),
  created('rules on the values of a map', map(ruled(int, 'self > 1')), 'true', { a: 1, b: 2 }),
  created('a map, by its keys', map(int), 'self.all(k, k.startsWith("a") && self[k] > 0) && self.a1 == 1', { a1: 1, a2: 2 }),
  created('a map without the key', map(int), 'self["zz"] == 1', { a1: 1 }),
  created('names of a list, each once', NAMED, 'self.all(x, self.exists_one(y, x.name == y.name))', [
    { name: 'a' },
    { name: 'b' },
  ]),
  // Messages, reasons and paths
  created('a message', int, [{ rule: 'self > 5', message: '  must be large  ' }], 1),
  created(
    'a message of its own',
    int,
    [{ rule: 'self > 5', message: 'plain', messageExpression: 'self > 0 ? "was positive" : "was not"' }],
    1,
  ),
  created(
    'a message of its own that has no answer',
    int,
    [{ rule: 'self > 5', message: 'plain', messageExpression: 'string(1 / (self - 1))' }],
    1,
  ),
  created(
    'numbers for people',
    int,
    [{ rule: 'self > 5', messageExpression: '"%e %.1e %f %s".format([1234.5, 0.015, 1234567.5, 2.5])' }],
    1,
  ),
  created('a message of its own that is empty', int, [{ rule: 'self > 5', messageExpression: '" "' }], 1),
  created(
    'a message of its own with a line break',
    int,
    [{ rule: 'self > 5', message: 'plain', messageExpression: '"a\\nb"' }],
    1,
  ),
  created('a rule in lines', int, [{ rule: 'self\n> 5', message: 'plain' }], 1),
  created(
    'reasons',
    UNIT,
    [
      { rule: 'self.size > 5', reason: 'FieldValueForbidden', message: 'm' },
      { rule: 'self.size > 5', reason: 'FieldValueRequired', message: 'm', fieldPath: '.optional' },
      { rule: 'self.size > 5', reason: 'FieldValueDuplicate', message: 'm', fieldPath: '.nested.port' },
      { rule: 'self.size > 5', reason: 'FieldValueInvalid', message: 'm', fieldPath: "['unit']" },
    ],
    { size: 1 },
  ),
  created(
    'reasons at a value that is shown',
    int,
    [
      { rule: 'self > 5', reason: 'FieldValueDuplicate', message: 'm' },
      { rule: 'self > 5', reason: 'FieldValueForbidden', message: 'm' },
    ],
    1,
  ),
  created('a text that is shown', text, 'self == "x"', 'a "quoted" one'),
  created('structure before rules', object({ a: ruled(int, 'self > 5'), b: { type: 'string', enum: ['x'] } }), 'true', {
    a: 1,
    b: 'y',
  }),
  created(
    'a range does not keep rules from being asked',
    object({ a: ruled({ type: 'integer', minimum: 3 }, 'self > 5') }),
    'true',
    { a: 1 },
  ),
  // Changes
  changed('the same', ruled(text, 'self == oldSelf'), 'a', 'a'),
  changed('not the same', ruled(text, 'self == oldSelf'), 'a', 'b'),
  { name: 'rules about changes are not asked of new values', schema: ruled(text, 'self == oldSelf && 1 == 2'), value: 'a' },
  changed('a field that is new', object({ a: ruled(text, 'self == oldSelf') }), {}, { a: 'x' }),
  changed('a field that is gone', ruled(object({ a: text }), '!has(oldSelf.a) || has(self.a)'), { a: 'x' }, {}),
  {
    name: 'optional old self: nothing before',
    schema: ruled(int, [{ rule: 'oldSelf.hasValue() || self > 5', optionalOldSelf: true }]),
    value: 1,
  },
  changed(
    'optional old self: something before',
    ruled(int, [{ rule: '!oldSelf.hasValue() || self >= oldSelf.value()', optionalOldSelf: true }]),
    5,
    1,
  ),
  changed('optional old self: orValue', ruled(int, [{ rule: 'oldSelf.orValue(0) < self', optionalOldSelf: true }]), 5, 1),
  changed(
    'items are known by their keys',
    list(ruled(object({ name: text, port: int }, { required: ['name'] }), 'self.port >= oldSelf.port'), {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
    [
      { name: 'a', port: 1 },
      { name: 'b', port: 5 },
    ],
    [
      { name: 'b', port: 4 },
      { name: 'c', port: 0 },
      { name: 'a', port: 1 },
    ],
  ),
  changed('values of a map are known by their keys', map(ruled(int, 'self >= oldSelf')), { a: 5, b: 5 }, { a: 4, b: 6, c: 1 }),
  changed(
    'a change in a message',
    ruled(int, [{ rule: 'self == oldSelf', messageExpression: '"%d became %d".format([oldSelf, self])' }]),
    1,
    2,
  ),
];

/** Definitions that are refused, or aren't: one rule on a field. */
export const DEFINITIONS: readonly (readonly [name: string, schema: StructuralSchema])[] = [
  ['an unknown field', ruled(UNIT, 'self.nope > 0')],
  ['an unknown field in has()', ruled(UNIT, 'has(self.nope)')],
  ['an unknown field below', ruled(UNIT, 'self.nested.nope == 1')],
  ['an unknown variable', ruled(UNIT, 'me.size > 0')],
  ['an unknown function', ruled(UNIT, 'foo(self.size)')],
  ['an unknown method', ruled(UNIT, 'self.unit.foo()')],
  ['types that do not fit an operator', ruled(UNIT, 'self.size > "x"')],
  ['types that are not equal', ruled(UNIT, 'self.size == "x"')],
  ['an int is no double', ruled(UNIT, 'self.size + 1.0 == 2.0')],
  ['types that do not fit a function', ruled(UNIT, 'self.unit.startsWith(1)')],
  ['a rule that is no bool', ruled(UNIT, 'self.size')],
  ['no operand', ruled(UNIT, 'self.size >')],
  ['no end', ruled(UNIT, '(self.size > 1')],
  ['a logical operator over numbers', ruled(UNIT, 'self.size && true')],
  ['a list of different types', ruled(UNIT, '[1, "a"].size() == 2')],
  ['a macro over a number', ruled(UNIT, 'self.size.all(x, x > 1)')],
  ['branches of different types', ruled(UNIT, '(self.size > 1 ? 1 : "a") == 1')],
  ['cel.bind is no part of Kubernetes', ruled(UNIT, 'cel.bind(x, self.size, x > 1)')],
  ['an empty rule', ruled(UNIT, ' ')],
  ['a message of spaces', ruled(UNIT, [{ rule: 'true', message: ' ' }])],
  ['a message in lines', ruled(UNIT, [{ rule: 'true', message: 'a\nb' }])],
  ['a rule in lines without a message', ruled(UNIT, 'true\n&& true')],
  ['a message expression that is no text', ruled(UNIT, [{ rule: 'true', messageExpression: '1' }])],
  ['a message expression with an unknown field', ruled(UNIT, [{ rule: 'true', messageExpression: 'self.nope' }])],
  ['a message expression of spaces', ruled(UNIT, [{ rule: 'true', messageExpression: '  ' }])],
  ['an unknown reason', ruled(UNIT, [{ rule: 'true', reason: 'Nope' }])],
  ['a path that leads nowhere', ruled(UNIT, [{ rule: 'true', fieldPath: '.nope' }])],
  ['a path that leads somewhere', ruled(UNIT, [{ rule: 'true', fieldPath: '.nested.port' }])],
  ['old self below a list without keys', list(ruled(object({ a: int }), 'self.a == oldSelf.a'))],
  [
    'old self below a list with keys',
    list(ruled(object({ name: text, a: int }, { required: ['name'] }), 'self.a == oldSelf.a'), {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
  ],
  ['optional old self where it is not used', ruled(UNIT, [{ rule: 'true', optionalOldSelf: true }])],
  ['a field that is kept without a type', ruled(object({ a: { 'x-kubernetes-preserve-unknown-fields': true } }), 'has(self.a)')],
  ['a field that cannot be named', ruled(object({ 'a b': int, c: int }), 'self.c > 0')],
  ['a bad pattern', ruled(UNIT, 'self.unit.matches("a(")')],
  ['lists of different objects', ruled(object({ a: NAMED, b: NAMED }), 'self.a == self.b')],
  ['a number that is none', ruled(UNIT, 'int("x") == 1')],
  ['a template with too few values', ruled(UNIT, '"%s-%d".format(["a"]) == ""')],
  ['a time that is none', ruled(UNIT, 'timestamp("2024") > timestamp("2024-01-01T00:00:00Z")')],
  ['a bad duration', ruled(UNIT, 'duration("x") > duration("1s")')],
];
