// `assay init`: a new project from the template that the package carries.
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCodes, type InitOptions, type Terminal } from '../../cli/index.ts'
import { version } from '../config.ts'
import { commandErrors } from './errors.ts'

/** The name that the template's project bears. */
const TEMPLATE_NAME = 'my-bank'
const packageRoot = fileURLToPath(new URL('../../../', import.meta.url))

/** Errors: `directory_not_empty`, `option_invalid` for a name that cannot be one. */
export async function init(
  directory: string,
  options: InitOptions,
  { out }: Terminal,
): Promise<number> {
  const target = resolve(directory)
  const name = projectName(options.name ?? basename(target))
  await requireEmpty(target)
  try {
    await mkdir(target, { recursive: true })
    await cp(join(packageRoot, 'templates', 'project'), target, { recursive: true })
    await rename(join(target, 'gitignore'), join(target, '.gitignore'))
    for (const file of ['project.ts', 'README.md']) await setName(join(target, file), name)
    const manifest = JSON.stringify(await manifestOf(name, target), null, 2)
    await writeFile(join(target, 'package.json'), `${manifest}\n`)
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw commandErrors.output_unwritable(`${target}: ${error.message}`, { cause: error })
  }
  out.line(`The project ${name} is in ${target}. Next:`)
  out.line(`  cd ${relative(process.cwd(), target) || '.'}`)
  out.line('  npm install')
  out.line('  npx assay start')
  return exitCodes.ok
}

async function requireEmpty(target: string): Promise<void> {
  let entries: string[]
  try {
    entries = await readdir(target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw commandErrors.output_unwritable(`${target}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  if (entries.length > 0) {
    throw commandErrors.directory_not_empty(`${target} holds ${entries[0]} and was left as it is.`)
  }
}

/** What `project()` takes as a name: lower-case letters, digits and dashes. */
function projectName(text: string): string {
  const name = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  if (name !== '') return name
  throw commandErrors.option_invalid(
    `"${text}" gives no name for a project; name one with --name, in letters, digits and dashes.`,
  )
}

async function setName(file: string, name: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`
  await writeFile(file, text.replaceAll(TEMPLATE_NAME, name).replaceAll("'My bank'", `'${title}'`))
}

async function manifestOf(name: string, target: string) {
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    scripts: { start: 'assay start', pipeline: 'assay run' },
    dependencies: { assay: await assaySpecifier(target) },
  }
}

/**
 * How the new project gets the Assay that makes it: the source tree or the tarball that this one
 * comes from, where it came from one, else the same version from the registry.
 */
async function assaySpecifier(target: string): Promise<string> {
  if (existsSync(join(packageRoot, 'src', 'main.ts'))) return fileSpecifier(target, packageRoot)
  const modules = dirname(packageRoot.replace(/[\\/]+$/, ''))
  const lock = join(modules, '.package-lock.json')
  try {
    const { packages } = JSON.parse(await readFile(lock, 'utf8')) as {
      packages: Record<string, { resolved?: string }>
    }
    const resolved = packages['node_modules/assay']?.resolved ?? ''
    const tarball = resolve(dirname(modules), resolved.slice('file:'.length))
    if (resolved.startsWith('file:') && existsSync(tarball)) return fileSpecifier(target, tarball)
  } catch {
    // No npm installed this; whoever did knows where the version is found.
  }
  return version
}

function fileSpecifier(target: string, path: string): string {
  return `file:${relative(target, path).split(sep).join('/')}`
}
