import { z } from 'zod';
import type { SecretVersion } from '../secrets/secret-store.ts';
import { jsonIn } from './reply.ts';
import type { Tokens } from './token-source.ts';

/** One version of the secret `fortnox-refresh-token`. */
export interface StoredTokens {
  version: number;
  refreshToken: string;
  /** What came with it; a token that a person stored has none. */
  access: Pick<Tokens, 'accessToken' | 'renewAtMs'> | null;
}

const payload = z.object({
  refreshToken: z.string().min(1),
  accessToken: z.string().min(1),
  renewAt: z.iso.datetime(),
});

/** Reads a version: what we write, or a bare refresh token as a person pastes it after a consent. */
export function readTokens({ number, value }: SecretVersion): StoredTokens {
  const ours = payload.safeParse(jsonIn(value)).data;
  if (ours === undefined) return { version: number, refreshToken: value.trim(), access: null };
  const { refreshToken, accessToken, renewAt } = ours;
  return { version: number, refreshToken, access: { accessToken, renewAtMs: Date.parse(renewAt) } };
}

export function writeTokens({ refreshToken, accessToken, renewAtMs }: Tokens & { refreshToken: string }): string {
  return JSON.stringify({ refreshToken, accessToken, renewAt: new Date(renewAtMs).toISOString() });
}

/** The access token of a version, while it is good and is not the one that Fortnox has just refused. */
export function goodTokens(stored: StoredTokens | null, nowMs: number, refused: string | null): StoredTokens['access'] {
  const access = stored?.access ?? null;
  return access !== null && nowMs < access.renewAtMs && access.accessToken !== refused ? access : null;
}
