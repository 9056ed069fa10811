import { exitCodes, type HomeOptions, type Terminal } from '../../cli/index.ts'
import type { Access } from '../../access/index.ts'
import { remote } from '../../lib/rpc.ts'
import { byCommand, requireServer } from './connection.ts'

/** `assay open`: a new one-time link to sign in, on standard output. */
export async function open(options: HomeOptions, { out, err }: Terminal): Promise<number> {
  const { home, server } = requireServer(options.home)
  const access = remote<Access>(home.socket('admin'), 'access')
  const { token } = await access.createSignInLink(byCommand('open'))
  out.line(`${server.url}/sign-in?token=${token}`)
  err.line(err.style('dim', 'It signs in the first administrator, once, within ten minutes.'))
  return exitCodes.ok
}
