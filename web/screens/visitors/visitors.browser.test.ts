// Visitors of a log over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

describe.skipIf(!needs('chromium'))('visitors in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('the screen says how many came with the band, by what, and what was odd', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/visitors')
    await page.getByRole('heading', { name: 'Web site' }).waitFor()
    await page
      .getByText(/^5,\d{3} \(/)
      .first()
      .waitFor()
    const byPath = page.getByRole('table').filter({ hasText: '/mortgages/calculator' })
    expect(await byPath.textContent()).toContain('181 others')
    await page.getByText('of no format that is known').waitFor()
    await page.getByText('rotated: access.log.1').waitFor()
    const templates = page.getByRole('table').filter({ hasText: 'Sign-in refused' })
    expect(await templates.textContent()).toContain('Page rendered in <*> ms')
    expect(opened.complaints).toEqual([])
  })

  test('how far back the course goes stands in the address and is chosen by keyboard', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/visitors')
    await page.getByRole('button', { name: '30', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/windows=30/)
    await page.getByRole('button', { name: /^Table/ }).click()
    const rows = page
      .getByRole('region', { name: 'Visitors within 15m, every 1m' })
      .locator('tbody tr')
    await expect.poll(() => rows.count()).toBe(30)
  })

  test('a project without log streams says how one is declared', async () => {
    const opened = await open({ scenario: 'empty' })
    await show(opened, '/visitors')
    await opened.page.getByText('This project declares no log stream').waitFor()
  })
})
