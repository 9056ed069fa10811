// Versions of a data set over the fixture bank, in a real browser: what keeps them and lets them go.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

describe.skipIf(!needs('chromium'))('versions of data in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('retention is set in a dialog that says what stays, and can be set back', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/data/transactions')
    await page.getByRole('button', { name: 'Set retention' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('removed for good the next night').waitFor()
    expect(await dialog.getByLabel('Newest versions').inputValue()).toBe('4')
    await dialog.getByLabel('Newest versions').fill('')
    await dialog.getByLabel('Versions of so many days').fill('')
    await dialog.getByLabel('Reason').fill('A year is enough')
    const submit = dialog.getByRole('button', { name: 'Set retention' })
    expect(await submit.isDisabled()).toBe(true)
    await dialog.getByLabel('Versions of so many days').fill('365')
    await submit.click()
    await page.getByText('Kept are the versions of 365 days').first().waitFor()
    await page.getByRole('button', { name: /Undo/ }).click()
    await page
      .getByText(/newest 4 versions and the versions of 90 days/)
      .first()
      .waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('a version is put on hold until a day, and released', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/data/transactions')
    await page.getByRole('button', { name: 'Hold version 4' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Until').fill('2027-01-01')
    await dialog.getByLabel('Reason').fill('Case 17')
    await dialog.getByRole('button', { name: 'Hold', exact: true }).click()
    await page.getByText('Version 4 until 1 Jan 2027: Case 17').waitFor()
    expect(await page.getByRole('button', { name: 'Hold version 4' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Release Version 4' }).click()
    await dialog.getByText('may then be removed by retention').waitFor()
    await dialog.getByLabel('Reason').fill('Case closed')
    await dialog.getByRole('button', { name: 'Release', exact: true }).click()
    await page.getByText('The hold has ended.').waitFor()
    await page.getByText('Version 4 until').waitFor({ state: 'detached' })
  })

  test('a tag is put on, taken away with what that means, and put back by undo', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/data/transactions')
    await page.getByRole('button', { name: 'Tag version 4' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Tag').fill('audit-2018')
    await dialog.getByLabel('Reason').fill('For the auditor')
    await dialog.getByRole('button', { name: 'Tag', exact: true }).click()
    const line = page.getByText('audit-2018 on version 4')
    await line.waitFor()
    await page.getByRole('button', { name: 'Take away audit-2018' }).click()
    await dialog.getByText('no longer finds it').waitFor()
    await dialog.getByLabel('Reason').fill('The audit is over')
    await dialog.getByRole('button', { name: 'Take away', exact: true }).click()
    await line.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /Undo/ }).click()
    await line.waitFor()
  })

  test('cleaning says what would go before it may be started', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/data/transactions')
    await page.getByRole('button', { name: 'Clean', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('What goes, goes for good: 1 version and 3 files').waitFor()
    await dialog.getByText('transactions version 1').waitFor()
    const submit = dialog.getByRole('button', { name: 'Remove for good' })
    expect(await submit.isDisabled()).toBe(true)
    await dialog.getByLabel('Reason').fill('Applying retention')
    await submit.click()
    await page.getByText('Removed 1 version and 3 files').waitFor()
  })

  test('rolling back says what will be read, and undo rolls forward again', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/data/transactions')
    await page.getByRole('button', { name: 'Roll back to version 2' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('will hold the 1,298,209 rows of version 2 again').waitFor()
    await dialog.getByLabel('Reason').fill('Versions 3 to 5 lack a day')
    await dialog.getByRole('button', { name: 'Roll back', exact: true }).click()
    await page.getByText('holds the content of version 2 again').waitFor()
    await page.getByRole('button', { name: /Undo/ }).click()
    await page.getByText('holds the content of version 5 again').waitFor()
    expect(opened.complaints).toEqual([])
  })
})
