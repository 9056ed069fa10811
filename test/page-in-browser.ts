/** The built page over a fixture bank in a real browser, for browser tests. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { repositoryRoot } from './source-text.ts'
import { toolPath } from './tools.ts'
import type { Bank, Scenario } from '../web/fixtures/scenes.ts'
import { createFixtureServer } from '../web/fixtures/server.ts'

const folder = join(repositoryRoot, 'dist-web')

export interface Opened {
  readonly page: Page
  readonly base: string
  readonly bank: Bank
  /** What the console said that it should not have. */
  readonly complaints: string[]
}

interface Options {
  readonly scenario?: Scenario
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
}

/** Called within a `describe`: one browser for its tests, and a page that a test opens for itself. */
export function pagesInBrowser(): {
  open(options?: Options): Promise<Opened>
  show(opened: Opened, path: string): Promise<void>
} {
  let browser: Browser
  const closing: (() => Promise<unknown> | void)[] = []

  beforeAll(async () => {
    if (!existsSync(join(folder, 'index.html'))) {
      const vite = join(repositoryRoot, 'node_modules/vite/bin/vite.js')
      spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], { cwd: repositoryRoot })
    }
    browser = await chromium.launch({
      executablePath: toolPath('chromium'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
  }, 120_000)

  // Pages poll; one that is left open takes time from the tests after it.
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  afterAll(() => browser?.close())

  async function open(options: Options = {}): Promise<Opened> {
    const scenario = options.scenario ?? 'full'
    const { server, bank } = createFixtureServer({ page: folder, scenario })
    bank.playing = false
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 820 },
      colorScheme: options.scheme ?? 'light',
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    closing.push(() => {
      server.closeAllConnections()
      server.close()
    })
    closing.push(() => context.close())
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { page, base, bank, complaints: complaintsOf(page) }
  }

  async function show({ page, base }: Opened, path: string): Promise<void> {
    await page.goto(base + path)
    await page.locator('h1').first().waitFor()
    await page.locator('.loading').first().waitFor({ state: 'detached' })
  }

  return { open, show }
}

/** Errors, warnings, and requests that leave the machine, as they come. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) complaints.push(request.url())
  })
  return complaints
}
