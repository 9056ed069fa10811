import { chromium } from 'playwright-core'
import type { AddressInfo } from 'node:net'
import { createFixtureServer } from './fixtures/server.ts'
const scenario = (process.env.SC ?? 'full') as never
const { server, bank } = createFixtureServer({ page: '/tmp/W-dist', scenario })
bank.playing = false
await new Promise<void>((d) => server.listen(0, '127.0.0.1', d))
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'] })
for (const spec of process.argv.slice(2)) {
  const [name = '', path = '/', width = '1280', scheme = 'light', act = ''] = spec.split('|')
  const context = await browser.newContext({ viewport: { width: Number(width), height: 860 }, colorScheme: scheme as never, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) console.log(name, m.text()) })
  page.on('pageerror', (e) => console.log(name, e.message))
  await page.goto(base + path)
  await page.waitForTimeout(900)
  if (act !== '') { await eval(`(async (page) => { ${act} })`)(page); await page.waitForTimeout(500) }
  await page.screenshot({ path: `/tmp/W-shots/${name}.png`, fullPage: true })
  await context.close()
}
await browser.close(); server.close(); process.exit(0)
