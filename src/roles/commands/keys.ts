// `assay keys`: who may use this Assay, and with which keys.
import {
  exitCodes,
  printTable,
  type HomeOptions,
  type NewKeyOptions,
  type Terminal,
} from '../../cli/index.ts'
import { formatTimestamp } from '../../lib/time.ts'
import type { IssuedKey } from '../../access/index.ts'
import { byCommand, withKept } from './connection.ts'

/** Lists every key with its owner; the secrets themselves are kept nowhere. */
export function keysList(options: HomeOptions, { out, err }: Terminal): Promise<number> {
  return withKept(options.home, async ({ access }) => {
    const owners = new Map((await access.identities()).map((each) => [each.id, each]))
    const keys = await access.keys()
    if (keys.length === 0) {
      err.line('There are no keys yet. `assay start` makes the first one, for the administrator.')
      return exitCodes.ok
    }
    const rows = keys.map((key) => {
      const owner = owners.get(key.identityId)
      const state = key.revokedAtUs === undefined ? 'valid' : `revoked ${time(key.revokedAtUs)}`
      return [
        key.id,
        owner?.name ?? key.identityId,
        owner?.kind ?? '',
        owner?.roles.join(', ') ?? '',
        time(key.createdAtUs),
        time(key.lastUsedAtUs),
        state,
      ]
    })
    printTable(out, ['key', 'of', 'kind', 'roles', 'made', 'last used', 'state'], rows)
    return exitCodes.ok
  })
}

/** Makes an identity with one role and a key. The key alone goes to standard output. */
export function keysCreate(
  { home, name, program, role = program ? 'caller' : 'analyst' }: NewKeyOptions,
  terminal: Terminal,
): Promise<number> {
  return withKept(home, async ({ access }) => {
    const by = byCommand('keys create')
    const kind = program ? 'script' : 'person'
    const identity = await access.createIdentity({ name, kind, roles: [role] }, by)
    const issued = await access.issueKey({ identityId: identity.id, name: 'First key' }, by)
    showKey(issued, terminal)
    return exitCodes.ok
  })
}

export function keysRevoke(id: string, options: HomeOptions, { err }: Terminal): Promise<number> {
  return withKept(options.home, async ({ access }) => {
    await access.revokeKey(id, byCommand('keys revoke'))
    err.line(`The key ${id} is revoked; nobody can use it any more.`)
    return exitCodes.ok
  })
}

/** For a lost administrator key: the old ones end, a new one is shown. */
export function keysReset(options: HomeOptions, terminal: Terminal): Promise<number> {
  return withKept(options.home, async ({ access }) => {
    const first = await access.firstStart()
    const issued = first ?? (await access.resetAdministrator(byCommand('keys reset')))
    showKey(issued, terminal)
    if (first === undefined) {
      terminal.err.line('All keys and sessions that the administrator had before are revoked.')
    }
    return exitCodes.ok
  })
}

function showKey({ key, identity, record }: IssuedKey, { out, err }: Terminal): void {
  out.line(key)
  const roles = identity.roles.join(', ')
  err.line(
    `The key ${record.id} of ${identity.name} (${roles}), shown this once; keep it in a file.`,
  )
}

function time(us: number | undefined): string {
  return us === undefined ? '–' : formatTimestamp(us).slice(0, 16).replace('T', ' ')
}
