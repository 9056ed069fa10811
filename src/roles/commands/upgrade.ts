// `assay upgrade --check`: what the next start of this version would do to a home.
import {
  count,
  exitCodes,
  printTable,
  type Terminal,
  type UpgradeOptions,
} from '../../cli/index.ts'
import { version } from '../config.ts'
import { checkUpgrade, type UpgradeReport } from '../upgrade.ts'
import { mib } from './backup.ts'
import { existingHome } from './connection.ts'

/** Ends with `notHeld` where this version cannot open the home. Error: `home_missing`. */
export async function upgrade(options: UpgradeOptions, { out, err }: Terminal): Promise<number> {
  const report = await checkUpgrade(existingHome(options.home))
  if (options.json) out.line(JSON.stringify({ version, ...report }))
  else {
    printTable(
      out,
      ['what', 'verdict', ''],
      report.findings.map(({ what, verdict, sentence }) => [what, verdict, sentence]),
    )
    for (const line of sentences(report)) out.line(line)
  }
  if (report.canUpgrade) return exitCodes.ok
  err.line(`Assay ${version} cannot open this home as it is.`)
  return exitCodes.notHeld
}

function sentences(report: UpgradeReport): string[] {
  const { olderOpens, rows, metadataBytes, neededBytes, freeBytes, seconds } = report
  if (olderOpens) {
    return ['Nothing is migrated: the version that wrote this home can open it afterwards, too.']
  }
  return [
    `The next start migrates ${count(rows, 'row')} in ${mib(metadataBytes)}, in about ${count(seconds)} s.`,
    `It needs ${mib(neededBytes)} on the disk, and ${mib(freeBytes)} are free.`,
    'Before it begins it keeps a copy, keep/before-N.sqlite. If it fails, all of it is taken back and the version before works on.',
    'Afterwards older versions refuse the home: to go back, stop, and put that copy in the place of keep/assay.sqlite; what was kept since then is lost, decisions are not.',
  ]
}
