// The tiny project as a bank would have it: in a folder of its own, with `assay` installed.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../source-text.ts'
import { temporaryDirectory, tinyProject } from './server.ts'

/** The folder of a copy whose source was changed. */
export function ownProject(change: (source: string) => string): string {
  const folder = temporaryDirectory('own')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(repositoryRoot, join(folder, 'node_modules', 'assay'), 'dir')
  const source = readFileSync(join(tinyProject, 'project.ts'), 'utf8')
  const simulator = JSON.stringify(join(repositoryRoot, 'examples', 'card-fraud', 'simulator.ts'))
  writeFileSync(
    join(folder, 'project.ts'),
    change(source.replace(/'[./]+examples\/card-fraud\/simulator.ts'/, simulator)),
  )
  return folder
}
