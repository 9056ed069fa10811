// What policies tell of their decisions, over the fixture bank, in a real browser.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

const fileOf = (page: Page, title: string) =>
  page
    .locator('.panel')
    .filter({ has: page.getByRole('heading', { name: title }) })
    .getByRole('link', { name: 'CSV' })

describe.skipIf(!needs('chromium'))('actions in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('monitoring says how far each is, and leads to what could not be delivered', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring')
    await page.getByText('84 since 15 Aug, 14:02').waitFor()
    await page
      .getByRole('region', { name: 'Actions of policies' })
      .getByRole('link', { name: '1' })
      .click()
    await page.waitForURL(/\/monitoring\/actions\?action=card-fraud/)
    await page.getByText('It answered 503.').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('a dead letter is read, and delivered once more with a reason', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring/actions')
    await page.getByRole('button', { name: 'Read the message of 1820009' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('"key": "live/1204/card-fraud/tell-desk"').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Deliver 1820009 once more' }).click()
    await dialog.getByLabel('Reason').fill('The desk is back')
    await dialog.getByRole('button', { name: 'Deliver' }).click()
    await page.getByText('1 will be delivered once more.').waitFor()
    await page.getByText('About to be delivered once more').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('the file of dead letters is of those that are shown', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring/actions?action=card-fraud/tell-desk&text=503')
    const file = fileOf(page, 'Could not be delivered')
    expect(await file.getAttribute('href')).toBe(
      '/api/v1/dead-letters?policy=card-fraud&action=tell-desk&text=503&format=csv',
    )
  })

  test('the file of what was set aside is of those that are shown', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring/actions')
    const file = fileOf(page, 'Set aside')
    expect(await file.getAttribute('href')).toBe('/api/v1/set-aside?format=csv')
    await show(opened, '/monitoring/actions?messages=all')
    expect(await file.getAttribute('href')).toBe('/api/v1/set-aside?all=true&format=csv')
  })

  test('a message that was set aside is mended, decided on, and told of as such', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring/actions')
    await page.getByRole('button', { name: 'Mend the message at 88120' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Message').fill('{"transaction_id":"9","amount":"12.00"}')
    await dialog.getByLabel('Reason').fill('The amount was a word')
    await dialog.getByRole('button', { name: 'Decide' }).click()
    await page.getByText('It was decided on.').waitFor()
    await page.getByText('Nothing was set aside').waitFor()
    await page
      .getByRole('group', { name: 'Which messages' })
      .getByRole('button', { name: 'All' })
      .click()
    await page.getByText('Decided on, 15 Aug, 14:01').waitFor()
    expect(opened.complaints).toEqual([])
  })
})
