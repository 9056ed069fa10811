// NSL-KDD as a stream: attack families held back from training, arrivals in waves, a gradual drift
// and returns injected, all by a seeded script, because the files have no time of their own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createRandom, type Random } from '../src/lib/random.ts'

export interface KddRecord {
  readonly fields: readonly string[]
  readonly type: string
}

export interface StreamRecord extends KddRecord {
  /** Whether its type was in training. */
  readonly known: boolean
  /** Whether its type was about before, and then away for a long time. */
  readonly returned: boolean
  readonly drifted: boolean
}

export interface KddStream {
  readonly training: readonly KddRecord[]
  readonly records: readonly StreamRecord[]
}

interface StreamPlan {
  readonly seed: number
  /** Types that are learnt, besides `normal`. */
  readonly knownTypes: ReadonlySet<string>
  readonly trainingRows: number
  /** Known types that are there at the beginning and at the end only. */
  readonly awayTypes: ReadonlySet<string>
  /** The service whose normal records drift. */
  readonly driftService: string
  readonly rowsATypeMax: number
  readonly normalMax: number
}

const families: Readonly<Record<string, readonly string[]>> = {
  dos: [
    'apache2',
    'back',
    'land',
    'mailbomb',
    'neptune',
    'pod',
    'processtable',
    'smurf',
    'teardrop',
    'udpstorm',
    'worm',
  ],
  probe: ['ipsweep', 'mscan', 'nmap', 'portsweep', 'saint', 'satan'],
  r2l: [
    'ftp_write',
    'guess_passwd',
    'httptunnel',
    'imap',
    'multihop',
    'named',
    'phf',
    'sendmail',
    'snmpgetattack',
    'snmpguess',
    'spy',
    'warezclient',
    'warezmaster',
    'xlock',
    'xsnoop',
  ],
  u2r: ['buffer_overflow', 'loadmodule', 'perl', 'ps', 'rootkit', 'sqlattack', 'xterm'],
}

/** `normal`, or the family of an attack type. */
export function familyOf(type: string): string {
  return Object.keys(families).find((family) => families[family].includes(type)) ?? type
}

export const kddColumns =
  'duration,protocol_type,service,flag,src_bytes,dst_bytes,land,wrong_fragment,urgent,hot,num_failed_logins,logged_in,num_compromised,root_shell,su_attempted,num_root,num_file_creations,num_shells,num_access_files,num_outbound_cmds,is_host_login,is_guest_login,count,srv_count,serror_rate,srv_serror_rate,rerror_rate,srv_rerror_rate,same_srv_rate,diff_srv_rate,srv_diff_host_rate,dst_host_count,dst_host_srv_count,dst_host_same_srv_rate,dst_host_diff_srv_rate,dst_host_same_src_port_rate,dst_host_srv_diff_host_rate,dst_host_serror_rate,dst_host_srv_serror_rate,dst_host_rerror_rate,dst_host_srv_rerror_rate'.split(
    ',',
  )

export function readKdd(folder: string, name: string): KddRecord[] {
  const text = gunzipSync(readFileSync(join(folder, name))).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line.includes(','))
    .map((line) => {
      const cells = line.trim().split(',')
      return { fields: cells.slice(0, kddColumns.length), type: cells[kddColumns.length] }
    })
}

/**
 * The stream of development: even rows of the training file; denial of service is held back, all
 * other families are known.
 */
export function developmentStream(folder: string, seed: number): KddStream {
  const rows = readKdd(folder, 'KDDTrain+_20Percent.txt.gz').filter((_, row) => row % 2 === 0)
  const known = new Set([...families['probe'], ...families['r2l'], ...families['u2r']])
  return makeStream(rows, rows, {
    seed,
    knownTypes: known,
    trainingRows: 3000,
    awayTypes: new Set(['satan']),
    driftService: 'http',
    rowsATypeMax: 700,
    normalMax: 6000,
  })
}

/**
 * The measured stream: trained on odd rows of the training file, normal and denial of service;
 * everything else is held back, and with it the kinds of denial of service that only the test file
 * has. The stream takes the rest of the odd rows and the whole test file.
 */
export function measuredStream(folder: string, seed: number): KddStream {
  const rows = readKdd(folder, 'KDDTrain+_20Percent.txt.gz').filter((_, row) => row % 2 === 1)
  const known = new Set(['back', 'land', 'neptune', 'pod', 'smurf', 'teardrop'])
  return makeStream(rows, [...rows, ...readKdd(folder, 'KDDTest+.txt.gz')], {
    seed,
    knownTypes: known,
    trainingRows: 4000,
    awayTypes: new Set(['smurf', 'back']),
    driftService: 'smtp',
    rowsATypeMax: 1000,
    normalMax: 10_000,
  })
}

function makeStream(
  rows: readonly KddRecord[],
  all: readonly KddRecord[],
  plan: StreamPlan,
): KddStream {
  const random = createRandom(plan.seed)
  const isKnown = ({ type }: KddRecord) => type === 'normal' || plan.knownTypes.has(type)
  const training = random.fork('training').shuffle(rows.filter(isKnown)).slice(0, plan.trainingRows)
  const learnt = new Set(training)
  const byType = Map.groupBy(
    random.fork('stream').shuffle(all.filter((row) => !learnt.has(row))),
    ({ type }) => type,
  )
  const timed: { at: number; record: StreamRecord }[] = []
  const drift = random.fork('drift')
  for (const [type, found] of [...byType].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const most = type === 'normal' ? plan.normalMax : plan.rowsATypeMax
    const windows = windowsOf(type, plan, random.fork(`windows-${type}`))
    const times = random.fork(`times-${type}`)
    const known = type === 'normal' || plan.knownTypes.has(type)
    for (const row of found.slice(0, most)) {
      const window = windows[times.int(windows.length)]
      const at = times.uniform(window.from, window.to)
      const drifts = type === 'normal' && row.fields[2] === plan.driftService && at > driftFrom
      const fields = drifts ? drifted(row.fields, at, drift) : row.fields
      const returned = window.returned
      timed.push({ at, record: { fields, type, known, returned, drifted: drifts } })
    }
  }
  timed.sort((a, b) => a.at - b.at)
  return { training, records: timed.map(({ record }) => record) }
}

interface Window {
  readonly from: number
  readonly to: number
  readonly returned: boolean
}

/** When a type is about, of the stream's whole length 1. */
function windowsOf(type: string, plan: StreamPlan, random: Random): Window[] {
  if (plan.awayTypes.has(type)) {
    return [
      { from: 0, to: 0.15, returned: false },
      { from: 0.75, to: 1, returned: true },
    ]
  }
  if (type === 'normal' || plan.knownTypes.has(type)) return [{ from: 0, to: 1, returned: false }]
  const from = random.uniform(0.02, 0.4)
  const first = { from, to: from + random.uniform(0.05, 0.15), returned: false }
  const again = random.uniform(0.85, 0.95)
  // Half of the held-back types return after a long time.
  return random.next() < 0.5 ? [first] : [first, { from: again, to: again + 0.05, returned: true }]
}

const driftFrom = 0.25
const driftTo = 0.75

/** Normal traffic that grows: bytes up to twentyfold, durations and connections with them. */
function drifted(fields: readonly string[], at: number, random: Random): string[] {
  const progress = Math.min(1, (at - driftFrom) / (driftTo - driftFrom))
  const moved = [...fields]
  const grow = (column: string, factor: number) => {
    const place = kddColumns.indexOf(column)
    const value = Math.max(1, Number(fields[place])) * (1 + progress * (factor - 1))
    moved[place] = String(Math.round(value * random.uniform(0.95, 1.05)))
  }
  grow('src_bytes', 20)
  grow('dst_bytes', 20)
  grow('duration', 30)
  grow('count', 6)
  grow('srv_count', 6)
  return moved
}
