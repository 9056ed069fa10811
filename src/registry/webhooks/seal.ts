import { createCipheriv, createDecipheriv } from 'node:crypto'

/** Seals secrets for the disk; what is sealed can be opened with the same key alone. */
export interface Seal {
  close(secret: string): string
  open(sealed: string): string
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce each time; the key has 32 bytes. */
export function createSeal(key: Uint8Array, randomBytes: (count: number) => Uint8Array): Seal {
  return {
    close(secret) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return `1.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')}`
    },
    open(sealed) {
      const [form, text] = sealed.split('.', 2)
      if (form !== '1') throw new Error('A secret is sealed in a form that is not known.')
      const bytes = Buffer.from(text, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      const body = bytes.subarray(IV_BYTES + TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    },
  }
}
