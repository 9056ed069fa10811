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
    await page.getByRole('heading', { name: 'Draft', level: 1, exact: true }).waitFor()
    await page.getByRole('button', { name: 'Propose' }).click()
    await dialog.getByLabel('Reason').fill('It was tried')
    await dialog.getByRole('button', { name: 'Propose' }).click()
    await page.getByText('You wrote a part of the draft.').waitFor()
    await page.getByRole('heading', { name: 'Proposed draft', level: 1 }).waitFor()
    // What its back-test found of each rule is seen whole, beside the parts of the draft.
    const found = page.getByRole('region', { name: 'Rules in the back-test' })
    await found.getByText('amount-far-beyond-any-payment').first().waitFor()
    expect(await found.evaluate((table) => table.scrollWidth - table.clientWidth)).toBe(0)
    await page.getByText('In namespace').waitFor()
    await page.getByText('replay-2', { exact: true }).waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('what is added is written at once, and the focus is never lost', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    const focused = (name: string) =>
      page.waitForFunction(
        (wanted) => document.activeElement?.getAttribute('aria-label') === wanted,
        name,
      )
    await page.getByRole('button', { name: 'Add a rule' }).press('Enter')
    await focused('Name of rule 3')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('travels')
    await page.getByRole('button', { name: 'Move travels up' }).press('Enter')
    await focused('Name of rule 2')
    await page.getByRole('button', { name: 'Remove travels' }).press('Enter')
    await focused('Name of rule 2')
    await page.getByRole('button', { name: 'Add a list' }).press('Enter')
    await focused('Name of list 2')
    await page.getByRole('button', { name: 'Remove list-2' }).press('Enter')
    await focused('Add a list')
    await page.getByRole('button', { name: 'Add a typology' }).press('Enter')
    await focused('Name of typology 2')
    await page.getByRole('button', { name: 'Remove typology-2' }).press('Enter')
    await focused('Add a typology')
    expect(opened.complaints).toEqual([])
  })

  test('a draft that is not saved is not left without a word; Ctrl-S saves it', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    await page.getByLabel('Condition of amount-above-220').fill('event.amount > 100.0')
    await page.getByText('Rule amount-above-220: when event.amount > 100.0').waitFor()
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    const leave = page.getByRole('dialog', { name: 'Leave without saving?' })
    await leave.getByRole('button', { name: 'Stay' }).click()
    await leave.waitFor({ state: 'detached' })
    expect(new URL(page.url()).pathname).toBe('/policies/card-fraud/drafts/new')
    await page.keyboard.press('ControlOrMeta+s')
    const dialog = page.getByRole('dialog', { name: 'Save draft' })
    await dialog.getByLabel('Reason').fill('A new pattern')
    await dialog.getByRole('button', { name: 'Save draft' }).click()
    await page.waitForURL(/drafts\/draft_1/)
    await page.getByRole('link', { name: 'Overview', exact: true }).click()
    await page.getByRole('heading', { name: 'Decisions now' }).waitFor()
  })

  test('the names that a condition can ask stand below the rules, not in every mistake', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    await page.getByLabel('Condition of amount-above-220').fill('event.amuont > 100.0')
    await page.getByText('The names that there are stand below.').waitFor()
    const names = page.getByText('What conditions can ask: 3 columns, 2 features')
    expect(await page.getByText('features.TERMINAL_ID_RISK_7DAY_WINDOW').isVisible()).toBe(false)
    await names.click()
    await page.getByText('features.TERMINAL_ID_RISK_7DAY_WINDOW').waitFor()
    await page.getByText('listed("blocked")').waitFor()
  })

  test('a rule that paused itself is shown, and another person confirms that it goes on', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud')
    await page.getByText('paused itself').waitFor()
    const row = page.getByRole('row', { name: /^busy/ })
    await row.getByText('paused', { exact: true }).waitFor()
    await row.getByText('pauses itself above 50 an hour').waitFor()
    expect(await page.getByRole('button', { name: 'Pause busy' }).count()).toBe(0)
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
    await page.keyboard.press('/')
    await page.keyboard.type('Case')
    await page.getByText('Stolen card').waitFor({ state: 'detached' })
    await page.getByLabel('Search').fill('')
    await page.getByText('Stolen card').waitFor()
    await page.getByRole('heading', { name: 'Lists' }).click()
    await page.keyboard.press('a')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Values of customer_id').fill('4712')
    await dialog.getByLabel('Reason').fill('Case 18')
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('1 value put on blocked').waitFor()
    expect(opened.complaints).toEqual([])
  })
})
