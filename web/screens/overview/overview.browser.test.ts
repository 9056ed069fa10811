// The overview over the fixture bank, in a real browser: what it follows, and what it falls back to.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

/** The event of the fixture bank's newest decision where it has so many. */
const newestOf = (count: number) => String(1_754_155 + count - 1)

const panel = (page: Page, title: string) =>
  page.locator('.live-decisions').filter({ has: page.getByRole('heading', { name: title }) })
const rowOf = (page: Page, title: string, eventId: string) =>
  panel(page, title).locator(`a[href*="/${eventId}"]`)

describe.skipIf(!needs('chromium'))('the overview in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('decisions are pushed: nothing asks for the list of them while the line is open', async () => {
    const opened = await open()
    const { page, bank } = opened
    const asked: string[] = []
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url())
      if (pathname === '/api/v1/decisions') asked.push(searchParams.get('outcome') ?? 'all')
    })
    await show(opened, '/')
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
    await panel(page, 'Last held back').getByRole('row').nth(8).waitFor()
    bank.count += 1
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
    // Of so many some are held back; they take the places of older ones.
    const rows = panel(page, 'Last held back').locator('tbody a')
    const before = await rows.first().getAttribute('href')
    bank.count += 150
    await page.waitForFunction(
      ([last]) => {
        const links = document.querySelectorAll('.live-decisions tbody a')
        return links.length === 19 && links[11]?.getAttribute('href') !== last
      },
      [before],
    )
    expect(asked).toEqual(['review,decline'])
    expect(opened.complaints).toEqual([])
  })

  test('rows stay where they are under the pointer, and go on when it leaves', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/')
    const pointed = rowOf(page, 'Decisions now', newestOf(bank.count - 4))
    await pointed.hover()
    await page.getByText('Paused under the pointer').waitFor()
    const place = await pointed.boundingBox()
    bank.count += 2
    // The other panel and the figures go on: their next answer says that these rows stood still.
    await page.waitForResponse((response) => response.url().includes('/api/v1/overview'))
    expect(await pointed.boundingBox()).toEqual(place)
    await page.getByRole('heading', { name: 'Decisions now' }).hover()
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
  })

  test('where the line breaks the rows stay and are asked for, until it is mended', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/')
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
    bank.line = 'cut'
    bank.count += 1
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
    expect(await panel(page, 'Last held back').getByRole('row').count()).toBe(9)
    // Asked once more as one answer, then followed.
    const mended = page.waitForResponse(
      (response) => response.url().includes('/decisions/live') && response.ok(),
    )
    bank.line = 'up'
    await mended
    bank.count += 1
    await rowOf(page, 'Decisions now', newestOf(bank.count)).waitFor()
  }, 40_000)
})
