// The review queue as somebody works in it all day, over the fixture bank and by the keyboard.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'
import { cases } from '../../fixtures/scenes.ts'

const mira = { id: 'id_mira', name: 'Mira K.', kind: 'person' } as const

describe.skipIf(!needs('chromium'))('the review queue in a browser', () => {
  const { open, show } = pagesInBrowser()

  /** The queue with its first case read. */
  async function queue(path = '/cases') {
    const opened = await open()
    await show(opened, path)
    const { page } = opened
    await page.getByRole('group', { name: 'Verdict' }).waitFor()
    await page.getByRole('heading', { name: 'Neighbours' }).waitFor()
    return { ...opened, selected: page.locator('.cases .table-row.is-selected') }
  }
  const top = (page: Page, selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => element.getBoundingClientRect().top)

  test('a verdict counts at once: one case less is open, one alert more is decided', async () => {
    const { page, bank, selected } = await queue()
    const first = await selected.textContent()
    await page.getByText('60 open cases').waitFor()
    await page.getByText('0 alerts decided today').waitFor()
    await page.keyboard.press('f')
    await page.getByText('59 open cases').waitFor()
    await page.getByText('1 alert decided today').waitFor()
    await page.getByRole('link', { name: 'Cases 59' }).waitFor()
    expect(bank.verdicts.size).toBe(1)
    expect(await selected.textContent()).not.toBe(first)
    await page.keyboard.press('u')
    await page.getByText('60 open cases').waitFor()
    expect(bank.verdicts.size).toBe(0)
  })

  test('the next case is read from its top, however far the last one was read', async () => {
    const { page, selected } = await queue()
    const first = (await selected.textContent()) ?? ''
    await page.mouse.wheel(0, 900)
    await page.waitForFunction(() => window.scrollY > 300)
    await page.keyboard.press('j')
    await page.waitForFunction(
      (before) => document.querySelector('.cases .table-row.is-selected')?.textContent !== before,
      first,
    )
    await page.waitForFunction(() => {
      const head = document.querySelector('.case-detail')?.getBoundingClientRect().top ?? 0
      return head >= 0 && head < 200
    })
    await page.getByRole('group', { name: 'Verdict' }).waitFor()
  })

  test('marking moves nothing, and keys then ask about all that is marked', async () => {
    const { page, bank } = await queue()
    const before = await top(page, '.cases .table-row')
    await page.keyboard.press('x')
    const bulk = page.getByRole('group', { name: 'Marked cases' })
    await bulk.getByText('1 marked').waitFor()
    expect(await top(page, '.cases .table-row')).toBe(before)
    await page.keyboard.press('Shift+X')
    await bulk.getByText('60 marked').waitFor()
    await page.keyboard.press('Escape')
    await bulk.waitFor({ state: 'detached' })
    await page.keyboard.press('x')
    await bulk.getByText('1 marked').waitFor()
    await page.keyboard.press('g')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('Looked at together')
    await dialog.getByRole('button', { name: 'Close 1 case' }).click()
    await page.getByText('1 cases closed').waitFor()
    expect([...bank.verdicts.values()].map((one) => one.current?.value)).toEqual(['genuine'])
  })

  test('the second person says yes or no by key; a no needs a reason', async () => {
    const { page, bank, selected } = await queue()
    const proposed = {
      verdict: 'fraud',
      corrects: false,
      alerts: 1,
      by: mira,
      at: new Date(0).toISOString(),
      reason: 'The card was stolen',
      yours: false,
    } as const
    const id = cases(bank, new URLSearchParams()).items[0]?.id ?? ''
    bank.proposed.set(id, proposed)
    await page.getByText('proposed by Mira K.').waitFor()
    await page.keyboard.press('t')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('The customer was there')
    await dialog.getByRole('button', { name: 'Turn down' }).click()
    await page.getByText('Turned down; the case is open').waitFor()
    expect(bank.proposed.size).toBe(0)
    bank.proposed.set(id, proposed)
    await page.getByText('proposed by Mira K.').waitFor()
    await page.keyboard.press('y')
    await page.getByText('59 open cases').waitFor()
    expect(bank.verdicts.get(id)?.current?.value).toBe('fraud')
    await selected.waitFor()
  }, 90_000)

  test('the evidence names the graph that neighbours are from', async () => {
    const { page } = await queue()
    await page.getByText('By the declared graph customer_id → terminal_id').waitFor()
    await page.getByRole('columnheader', { name: 'Linked by' }).waitFor()
  })

  test('who calls is found by about when they paid, and read to without a mouse', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/calls')
    const number = page.getByLabel('Card, customer or number')
    await number.waitFor()
    await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT')
    await page.getByLabel(/About when/).fill('2018-08-22T02:30')
    await page.waitForURL(/from=2018-08-22T01%3A30.*to=2018-08-22T03%3A30/)
    await page.getByRole('list', { name: 'Payments' }).waitFor()
    await page.getByText('was declined because').waitFor()
    await page.getByRole('button', { name: 'Show what it means' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('These can still refuse it').waitFor()
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA')
    await page.keyboard.type('Called, travels')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText(/is on “travelling” until/).waitFor()
    await page.waitForFunction(
      () => document.activeElement?.textContent?.includes('Show what it means') ?? false,
    )
    expect(opened.complaints).toEqual([])
  })
})
