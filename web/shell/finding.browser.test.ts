// Finding one's way: the navigation and the palette, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../test/page-in-browser.ts'
import { needs } from '../../test/tools.ts'

describe.skipIf(!needs('chromium'))('finding in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('lists, calls, endpoints and actions stand under the work that they belong to', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/')
    const navigation = page.getByRole('navigation', { name: 'Main' })
    for (const [name, heading] of [
      ['Live', 'Live decisions'],
      ['Lists', 'Lists'],
      ['Endpoints', 'Endpoints'],
      ['Actions', 'Actions'],
    ] as const) {
      await navigation.getByRole('link', { name, exact: true }).click()
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
      expect(await navigation.locator('[aria-current=page]').allTextContents()).toEqual([name])
    }
    expect(opened.complaints).toEqual([])
  })

  test('the palette opens a list, an endpoint, a draft and a case by a few letters', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/')
    for (const [typed, found, address] of [
      ['blocked', /^blocked/, /\/lists\?list=blocked/],
      ['endpoint', /^card-fraud/, /\/endpoints\/card-fraud/],
      ['draft', /^Draft of card-fraud/, /\/policies\/card-fraud\/drafts\/draft_1/],
      ['case of', /^Case of/, /\/cases\/case_/],
    ] as const) {
      await page.keyboard.press('Control+k')
      const palette = page.getByRole('dialog')
      await palette.getByRole('combobox').fill(typed)
      await palette.getByRole('option', { name: found }).click()
      await page.waitForURL(address)
    }
  })

  test('G and N lead to what is decided now', async () => {
    const opened = await open()
    await show(opened, '/')
    await opened.page.keyboard.press('g')
    await opened.page.keyboard.press('n')
    await opened.page.getByRole('heading', { name: 'Live decisions' }).waitFor()
  })
})
