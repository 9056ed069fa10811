/**
 * Checkpoints: what is signed, and with which key. The text follows C2SP tlog-checkpoint (origin,
 * size, root, and the time as an extension line) in a C2SP signed note, so that witnesses outside
 * of Assay can countersign and compare it.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign } from 'node:crypto'
import type { Checkpoint } from './types.ts'

/** Signs checkpoints for one log. */
export interface CheckpointSigner {
  readonly origin: string
  readonly keyId: string
  /** The key that checks the signatures, as PEM: hand it to auditors before they need it. */
  readonly publicKey: string
  sign(text: string): Uint8Array
}

/** A new Ed25519 private key as PEM (PKCS #8), to be kept among the secrets. */
export function generateSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** A signer from a PEM private key. Throws where the key is no Ed25519 key: it came from a file. */
export function createCheckpointSigner(privateKeyPem: string, origin: string): CheckpointSigner {
  if (!/^[^\s+]{1,200}$/.test(origin)) {
    throw new Error(`"${origin}" cannot name a log: no white space, no plus sign, at most 200.`)
  }
  const privateKey = createPrivateKey(privateKeyPem)
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new Error('Checkpoints are signed with an Ed25519 key, and this is another kind.')
  }
  const publicKey = createPublicKey(privateKey)
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
  return {
    origin,
    keyId: noteKeyId(origin, raw),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    sign: (text) => sign(null, Buffer.from(text), privateKey),
  }
}

/** The text that a checkpoint's signature covers. */
export function checkpointText(checkpoint: Omit<Checkpoint, 'signature' | 'keyId'>): string {
  const root = Buffer.from(checkpoint.root, 'hex').toString('base64')
  return `${checkpoint.origin}\n${checkpoint.size}\n${root}\n${checkpoint.atUs}\n`
}

/** The checkpoint as a C2SP signed note, for witnesses and for pinning on a wall. */
export function checkpointNote(checkpoint: Checkpoint): string {
  const signature = Buffer.concat([
    Buffer.from(checkpoint.keyId, 'hex'),
    Buffer.from(checkpoint.signature, 'base64'),
  ])
  const line = `\u2014 ${checkpoint.origin} ${signature.toString('base64')}`
  return `${checkpointText(checkpoint)}\n${line}\n`
}

/** C2SP signed-note: the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ Ed25519 key). */
function noteKeyId(name: string, rawPublicKey: Uint8Array): string {
  const content = Buffer.concat([Buffer.from(`${name}\n\u0001`), rawPublicKey])
  return hash('sha256', content, 'hex').slice(0, 8)
}
