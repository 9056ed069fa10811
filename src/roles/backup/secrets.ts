// Secrets in a backup: AES-256-GCM under a key that scrypt makes of a passphrase (RFC 7914; N = 2^17,
// r = 8, p = 1), a salt and a nonce of their own for each file.
import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto'
import type { RandomBytes } from '../../lib/ids.ts'
import { backupErrors } from './errors.ts'

const MAGIC = Buffer.from('ASSAYSE1')
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

export function encryptSecret(
  plain: Uint8Array,
  passphrase: string,
  random: RandomBytes,
): Uint8Array {
  const salt = random(SALT_BYTES)
  const nonce = random(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), nonce)
  const body = [cipher.update(plain), cipher.final()]
  return Buffer.concat([MAGIC, salt, nonce, cipher.getAuthTag(), ...body])
}

/** Error: `backup_passphrase`. */
export function decryptSecret(path: string, bytes: Uint8Array, passphrase: string): Uint8Array {
  const at = (from: number, length: number) => bytes.subarray(from, from + length)
  const nonceAt = MAGIC.length + SALT_BYTES
  const tagAt = nonceAt + NONCE_BYTES
  try {
    const key = keyOf(passphrase, at(MAGIC.length, SALT_BYTES))
    const decipher = createDecipheriv('aes-256-gcm', key, at(nonceAt, NONCE_BYTES))
    decipher.setAuthTag(at(tagAt, TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(tagAt + TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw backupErrors.backup_passphrase(`The passphrase does not open ${path}.`, { cause })
  }
}

function keyOf(passphrase: string, salt: Uint8Array): Uint8Array {
  const maxmem = 256 * 1024 * 1024
  return scryptSync(passphrase, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem })
}
