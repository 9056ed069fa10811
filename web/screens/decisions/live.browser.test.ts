// Decisions as they happen over the fixture bank, in a real browser.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

/** The event of the fixture bank's newest decision where it has so many. */
const newestOf = (count: number) => String(1_754_155 + count - 1)

const rowOf = (page: Page, eventId: string) =>
  page.getByRole('table', { name: 'Live decisions' }).locator(`a[href*="/${eventId}"]`)

describe.skipIf(!needs('chromium'))('live decisions in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('a decision stands in the list when it is made, with the pace and its normal', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live')
    await rowOf(page, newestOf(bank.count)).waitFor()
    bank.count += 1
    await rowOf(page, newestOf(bank.count)).waitFor()
    expect(await page.getByText('9.8 a second').textContent()).toContain('n 3,000')
    await page.getByText('normal 95.7 to 98.9 %').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('Space holds the list and counts what waits; again, and it is there', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live')
    const before = newestOf(bank.count)
    await rowOf(page, before).waitFor()
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Go on', exact: true }).waitFor()
    bank.count += 3
    await page.getByText('3 wait').waitFor()
    expect(await rowOf(page, newestOf(bank.count)).count()).toBe(0)
    await page.keyboard.press('Space')
    await rowOf(page, newestOf(bank.count)).waitFor()
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor()
    expect(await rowOf(page, before).count()).toBe(1)
  })

  test('rows stay where they are under the pointer, and go on when it leaves', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live')
    const pointed = rowOf(page, newestOf(bank.count - 4))
    await pointed.hover()
    await page.getByText('Paused under the pointer').waitFor()
    const place = await pointed.boundingBox()
    bank.count += 2
    await page.getByText('2 wait').waitFor()
    expect(await pointed.boundingBox()).toEqual(place)
    await page.getByRole('heading', { name: 'Live decisions' }).hover()
    await rowOf(page, newestOf(bank.count)).waitFor()
  })

  test('J chooses and holds, Enter opens, and the way back has the row chosen', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live')
    const newest = newestOf(bank.count)
    await rowOf(page, newest).waitFor()
    await page.keyboard.press('j')
    await page.waitForURL(new RegExp(`at=${newest}`))
    await page.getByText('Paused at the chosen decision').waitFor()
    bank.count += 1
    await page.getByText('1 waits').waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/decisions/card-fraud/${newest}`))
    await page.goBack()
    await page.getByText('Paused at the chosen decision').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('filters stand in the address and hold for what comes', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live?outcome=review,decline')
    await page.getByRole('table', { name: 'Live decisions' }).waitFor()
    expect(await page.getByRole('table').getByText('Allow').count()).toBe(0)
    bank.count += 400
    // Of so many some are held back, and they alone come.
    await page.getByRole('button', { name: 'Decline', exact: true }).click()
    await page.waitForURL(/outcome=decline/)
    await page.getByRole('table').getByText('Decline').first().waitFor()
    await page.getByRole('table').getByText('Review').first().waitFor({ state: 'detached' })
  })

  test('a line that breaks says so, and goes on by itself without a gap', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/decisions/live')
    await rowOf(page, newestOf(bank.count)).waitFor()
    bank.line = 'cut'
    await page.getByText('it goes on by itself, and nothing is left out').waitFor()
    const missed = [bank.count + 1, bank.count + 2, bank.count + 3].map(newestOf)
    bank.count += 3
    bank.line = 'up'
    for (const each of missed) await rowOf(page, each).waitFor({ timeout: 20_000 })
    await page.getByText('9.8 a second').waitFor()
  }, 40_000)

  test('the overview and the list of all lead there', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/decisions?outcome=decline')
    await page.locator('#screen').getByRole('link', { name: 'Live' }).click()
    await page.waitForURL(/\/decisions\/live\?outcome=decline/)
    await page.getByRole('heading', { name: 'Live decisions' }).waitFor()
    await show(opened, '/')
    await page.locator('#screen').getByRole('link', { name: 'Live' }).first().click()
    await page.waitForURL(/\/decisions\/live/)
  })
})
