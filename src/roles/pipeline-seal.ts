// Values of environment variables in the keys of steps: kept so that a change is seen, and so that a
// copy of the records, or a lock file in a repository, is of no use for guessing a short password.
import { createHmac } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex, shortHash } from '../lib/hash.ts'
import { systemRandomBytes } from '../lib/ids.ts'
import type { Home } from '../projects/index.ts'

const SECRET_BYTES = 32

/**
 * HMAC-SHA-256 (RFC 2104) of name and value under a secret of the home, after the first digits of the
 * secret's own hash: whoever compares two sees whether they can be compared.
 */
export function variableSeal(home: Pick<Home, 'secrets'>): (name: string, value: string) => string {
  let secret: Buffer | undefined
  return (name, value) => {
    // A project without declared variables needs no secret.
    secret ??= homeSecret(home)
    const sealed = createHmac('sha256', secret)
      .update(JSON.stringify([name, value]))
      .digest('hex')
    return `hmac:${shortHash(sha256Hex(secret))}:${sealed}`
  }
}

/** Made by whoever comes first: a server and a command may both look for it at the same moment. */
function homeSecret({ secrets }: Pick<Home, 'secrets'>): Buffer {
  const file = join(secrets, 'pipeline-variables-key')
  if (!existsSync(file)) {
    mkdirSync(secrets, { recursive: true, mode: 0o700 })
    const own = `${file}.${process.pid}`
    const secret = Buffer.from(systemRandomBytes(SECRET_BYTES)).toString('base64')
    writeFileSync(own, secret, { mode: 0o600 })
    try {
      linkSync(own, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(own)
    }
  }
  return Buffer.from(readFileSync(file, 'utf8'), 'base64')
}
