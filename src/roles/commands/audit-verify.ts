// `assay audit verify`: whether the log is still what was signed.
import { createPublicKey } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyAuditExport, type AuditVerdict } from '../../audit/index.ts'
import { count, exitCodes, type AuditVerifyOptions, type Terminal } from '../../cli/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { homeAt } from '../../projects/index.ts'
import { existingHome, withKept } from './connection.ts'
import { commandErrors } from './errors.ts'

/** Verifies the home's own log, or an export. Ends with `notHeld` where anything is not as signed. */
export async function auditVerify(
  options: AuditVerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const verdict =
    options.file === undefined
      ? await verifyHome(options)
      : await verifyAuditExport(linesOf(options.file), { publicKey: publicKeyFor(options) })
  return report(verdict, terminal)
}

async function verifyHome(options: AuditVerifyOptions): Promise<AuditVerdict> {
  existingHome(options.home)
  const publicKey = publicKeyFor(options)
  try {
    const { lines } = await withKept(options.home, ({ auditor }) => auditor.export())
    return await verifyAuditExport(lines, { publicKey })
  } catch (error) {
    // The log refuses to sign what contradicts its last checkpoint: that is the answer.
    if (!isAssayError(error, 'audit_inconsistent')) throw error
    const finding = { kind: 'history-rewritten', message: error.detail } as const
    return { intact: false, size: 0, root: '', findings: [finding] }
  }
}

function report({ intact, size, root, findings }: AuditVerdict, { out, err }: Terminal): number {
  if (intact) {
    out.line(`${out.style('green', 'intact')}: ${count(size)} entries, root ${root}`)
    out.line('Nothing was changed, removed or added since it was signed.')
    return exitCodes.ok
  }
  err.line(`${err.style('red', 'not intact')}: the log is not what was signed.`)
  for (const { message } of findings) err.line(`  ${message}`)
  err.line('Keep a copy of the home as it is, and compare it with a backup or an earlier export.')
  return exitCodes.notHeld
}

/** The key named by the person, or the one that the home signs with. */
function publicKeyFor({ home, publicKey: file }: AuditVerifyOptions): string {
  if (file !== undefined) return readText(file)
  const secret = join(homeAt(home).secrets, 'audit-signing-key.pem')
  if (!existsSync(secret)) {
    throw commandErrors.option_invalid(
      'Name the key that must have signed the log with --public-key; there is no home here to take it from.',
    )
  }
  return createPublicKey(readText(secret)).export({ type: 'spki', format: 'pem' })
}

/** Lines end at \n alone: readline would also end them at U+2028, which JSON may hold. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  try {
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop()!
      yield* lines
    }
  } catch (cause) {
    throw unreadable(file, cause)
  }
  if (rest !== '') yield rest
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): Error {
  return commandErrors.input_unreadable(`${file}: ${(cause as Error).message}`, { cause })
}
