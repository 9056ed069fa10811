import { sha256Hex } from '../lib/hash.ts'
import type { RandomBytes } from '../lib/ids.ts'

/**
 * Keys, links and sessions are 256 random bits. With that much entropy a plain SHA-256 cannot be
 * searched, so no slow password hash is needed and a look-up stays one index probe.
 */
const secretBytes = 32

export type SecretKind = 'ak' | 'link' | 'session'

export interface Secret {
  readonly text: string
  readonly hash: string
}

export function newSecret(kind: SecretKind, random: RandomBytes): Secret {
  const text = `${kind}_${Buffer.from(random(secretBytes)).toString('base64url')}`
  return { text, hash: hashSecret(text) }
}

export function hashSecret(text: string): string {
  return sha256Hex(text)
}

/** Cheap refusal of what cannot be a secret of this kind, before anything is hashed or read. */
export function looksLikeSecret(kind: SecretKind, text: string): boolean {
  return text.length === kind.length + 44 && text.startsWith(`${kind}_`)
}
