// Drafts of a policy and lists over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

describe.skipIf(!needs('chromium'))('changing a policy in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('a mistake is shown at its place; mended, the rule is tried, saved and proposed', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    const condition = page.getByLabel('Condition of amount-above-220')
    await condition.fill('event.amuont > 100.0')
    await page.getByText('at "amuont" (character 7)').waitFor()
    expect(await page.getByRole('button', { name: 'Save draft' }).isDisabled()).toBe(true)
    await condition.fill('event.amount > 100.0')
    await page.getByText('at "amuont"').waitFor({ state: 'detached' })
    await page.getByText('Rule amount-above-220: when event.amount > 100.0').waitFor()
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('12 of the last 1,000 decisions would be answered otherwise.').waitFor()
    await page.getByRole('button', { name: 'Save draft' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('A new pattern')
    await dialog.getByRole('button', { name: 'Save draft' }).click()
    await page.waitForURL(/drafts\/draft_1/)
    await page.getByRole('button', { name: 'Propose' }).click()
    await dialog.getByLabel('Reason').fill('It was tried')
    await dialog.getByRole('button', { name: 'Propose' }).click()
    await page.getByText('You wrote a part of the draft.').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('a rule that paused itself is shown, and another person confirms that it goes on', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud')
    await page.getByText('paused itself').waitFor()
    await page.getByRole('button', { name: 'Confirm that busy goes on' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Bea proposed it').waitFor()
    await dialog.getByLabel('Reason').fill('The sale is over')
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('busy goes on, from the next decision on').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('entries of a list say who, why and until when; values are added with a reason', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/lists')
    await page.getByText('(expired)').waitFor()
    await page.getByRole('button', { name: 'Add values' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Values of customer_id').fill('4712')
    await dialog.getByLabel('Reason').fill('Case 18')
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('1 value put on blocked').waitFor()
    expect(opened.complaints).toEqual([])
  })
})
