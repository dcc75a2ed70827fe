import { webcrypto } from 'node:crypto';

/** PEM of a certificate and its key. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority, and what it has signed. */
export interface Certificates {
  readonly ca: string;
  /** For `localhost` and the loopback addresses. */
  readonly server: Pair;
  /** For `kubernetes.test` alone. */
  readonly elsewhere: Pair;
  /** For `localhost` and the loopback addresses, but until yesterday. */
  readonly expired: Pair;
  /** For the user `admin`. */
  readonly client: Pair;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 3600 * 1000;

/** Makes an authority with some certificates, which nobody else knows. */
export async function certificates(): Promise<Certificates> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const newKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const pem = async (key: webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
  const now = Date.now();
  const lifetime = { notBefore: new Date(now - 10 * DAY_MS), notAfter: new Date(now + 10 * DAY_MS), signingAlgorithm: ALGORITHM };
  const authority = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...lifetime,
    serialNumber: '01',
    name: 'CN=test authority',
    keys: authority as never,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const sign = async (
    serialNumber: string,
    subject: string,
    names: readonly string[],
    notAfter = lifetime.notAfter,
  ): Promise<Pair> => {
    const keys = await newKeys();
    const cert = await x509.X509CertificateGenerator.create({
      ...lifetime,
      notAfter,
      serialNumber,
      subject,
      issuer: ca.subject,
      signingKey: authority.privateKey as never,
      publicKey: keys.publicKey as never,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.:]+$/.test(value) ? ('ip' as const) : ('dns' as const), value })),
        ),
      ],
    });
    return { cert: cert.toString('pem'), key: await pem(keys.privateKey) };
  };
  const loopback = ['localhost', '127.0.0.1', '::1'];
  return {
    ca: ca.toString('pem'),
    server: await sign('02', 'CN=server', loopback),
    elsewhere: await sign('03', 'CN=server', ['kubernetes.test']),
    expired: await sign('04', 'CN=server', loopback, new Date(now - DAY_MS)),
    client: await sign('05', 'CN=admin', ['admin']),
  };
}
