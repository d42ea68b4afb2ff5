import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** Tokens for tests: right ones, signed by a key that stands for Google's, and every wrong kind. */
export interface Signer {
  kid: string;
  privateKey: KeyObject;
  publicPem: string;
  jwk: object;
}

export function newSigner(kid: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { kid, privateKey, publicPem, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export type Claims = Record<string, unknown>;

export function signed(signer: Signer, claims: Claims, header: object = {}): string {
  const head = `${part({ alg: 'RS256', typ: 'JWT', kid: signer.kid, ...header })}.${part(claims)}`;
  return `${head}.${createSign('RSA-SHA256').update(head).sign(signer.privateKey).toString('base64url')}`;
}

/** Not signed at all, as the Auth emulator's are. */
export const unsigned = (claims: Claims, header: object = {}): string =>
  `${part({ alg: 'none', typ: 'JWT', ...header })}.${part(claims)}.`;

/** Signed with the public key as if it were a shared secret: the oldest forgery of all. */
export function signedByPublicKey(signer: Signer, claims: Claims): string {
  const head = `${part({ alg: 'HS256', typ: 'JWT', kid: signer.kid })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', signer.publicPem).update(head).digest('base64url')}`;
}

/** A good token whose claims were changed after it was signed. */
export function tampered(token: string, claims: Claims): string {
  const [head = '', , signature = ''] = token.split('.');
  return `${head}.${part(claims)}.${signature}`;
}

export const seconds = (offset = 0): number => Math.floor(Date.now() / 1000) + offset;

/** What Firebase writes into an ID token. */
export function idClaims(projectId: string, uid: string, more: Claims = {}): Claims {
  return {
    iss: `https://securetoken.google.com/${projectId}`,
    aud: projectId,
    sub: uid,
    user_id: uid,
    auth_time: seconds(-60),
    iat: seconds(-60),
    exp: seconds(3600),
    firebase: { sign_in_provider: 'password', identities: {} },
    ...more,
  };
}

/** What App Check writes into an app's token. */
export function appClaims(projectId: string, more: Claims = {}): Claims {
  return {
    iss: 'https://firebaseappcheck.googleapis.com/123456789012',
    aud: ['projects/123456789012', `projects/${projectId}`],
    sub: '1:123456789012:web:abcdef',
    iat: seconds(-60),
    exp: seconds(3600),
    ...more,
  };
}

/** What Google writes into the OIDC token of a Scheduler job. */
export function schedulerClaims(audience: string, email: string, more: Claims = {}): Claims {
  return {
    iss: 'https://accounts.google.com',
    aud: audience,
    azp: '1234567890',
    sub: '1234567890',
    email,
    email_verified: true,
    iat: seconds(-60),
    exp: seconds(3600),
    ...more,
  };
}
