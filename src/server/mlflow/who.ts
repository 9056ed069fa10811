// Who asks behind MLflow's door: its client sends MLFLOW_TRACKING_TOKEN as a bearer, or
// MLFLOW_TRACKING_USERNAME and _PASSWORD as Basic; a page sends its session.
import type { IncomingHttpHeaders } from 'node:http'
import { accessErrors, requireMay, sessionOf } from '../../access/index.ts'
import type { Action, Credentials, Identity } from '../../access/index.ts'
import type { MlflowDoorOptions } from './rooms.ts'

export interface Caller {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

/** The identity that asks, if it may. Errors: `unauthenticated`, `forbidden`. */
export async function whoMay(
  { access, openTo }: MlflowDoorOptions,
  caller: Caller,
  action: Action,
): Promise<Identity> {
  const credentials = credentialsOf(caller)
  const isNobody = credentials.bearer === undefined && credentials.session === undefined
  const identity = isNobody ? openTo : await access.authenticate(credentials)
  if (identity === undefined) {
    throw accessErrors.unauthenticated(
      isNobody
        ? 'Assay must know who asks: set MLFLOW_TRACKING_TOKEN to a key (ak_…).'
        : 'The key or session is not known here, or not valid any more.',
    )
  }
  return requireMay(identity, action)
}

/** A key in the name's place is taken as well, because some tools send nothing but a user name. */
function credentialsOf({ method, headers }: Caller): Credentials {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(headers.authorization ?? '') ?? []
  if (/^bearer$/i.test(scheme)) return { bearer: value }
  if (/^basic$/i.test(scheme)) {
    const decoded = Buffer.from(value, 'base64').toString('utf8')
    const colon = decoded.indexOf(':')
    const password = colon === -1 ? '' : decoded.slice(colon + 1)
    return { bearer: password || decoded.slice(0, colon === -1 ? undefined : colon) }
  }
  if (headers.authorization !== undefined) return { bearer: headers.authorization }
  const session = sessionOf(headers.cookie)
  if (session !== undefined && method !== 'GET') requireSameOrigin(headers)
  return { session }
}

// A browser names the origin of every request that changes something; only our own may.
function requireSameOrigin({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw accessErrors.forbidden(`The request was sent from ${origin.slice(0, 200)}.`)
  }
}
