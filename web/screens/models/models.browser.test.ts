// Models and their versions over the fixture bank, in a real browser: deleting, restoring, renaming.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

/** Gives the reason that the open dialog asks for, and presses its button. */
async function confirm(page: Page, button: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('Tried on the page')
  await dialog.getByRole('button', { name: button, exact: true }).click()
}

describe.skipIf(!needs('chromium'))('models in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('a version is deleted with its consequences named, and undo brings it and its alias back', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/churn-py/1')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Delete churn-py v1').waitFor()
    await dialog.getByText(/leaves the lists .* and @next with it/).waitFor()
    await dialog.getByText('assay models purge').waitFor()
    const submit = dialog.getByRole('button', { name: 'Delete', exact: true })
    expect(await submit.isDisabled()).toBe(true)
    await confirm(page, 'Delete')
    await page.getByText('churn-py version 1 is deleted.').waitFor()
    await page.getByText('It was deleted, and can be restored').waitFor()
    await page.getByRole('button', { name: /Undo/ }).click()
    await page.getByText('churn-py version 1 is restored.').waitFor()
    await page.locator('h1', { hasText: '@next' }).waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('a deleted version is listed on its model and restored there', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/churn-py/2')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await confirm(page, 'Delete')
    await page.getByText('churn-py version 2 is deleted.').waitFor()
    await show(opened, '/models/churn-py')
    await page.getByRole('heading', { name: 'Deleted versions' }).waitFor()
    await page.getByRole('button', { name: 'Restore v2' }).click()
    await confirm(page, 'Restore')
    await page.getByText('churn-py version 2 is restored.').waitFor()
    await page.getByRole('heading', { name: 'Deleted versions' }).waitFor({ state: 'detached' })
  })

  test('a model is deleted with the keyboard alone, and restored from the list', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/churn-py')
    const button = page.getByRole('button', { name: 'Delete', exact: true })
    await button.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => button.evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    // The reason has the focus; after it comes the button.
    await page.keyboard.type('No longer needed')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('churn-py is deleted, and its versions with it.').waitFor()
    await page.waitForURL(/\/models$/)
    await page.getByText('Deleted: 1 model').click()
    await page.getByRole('link', { name: 'churn-py' }).click()
    await page.getByText('It was deleted, and can be restored').waitFor()
    await page.getByRole('button', { name: 'Restore churn-py' }).click()
    await confirm(page, 'Restore')
    await page.getByText('churn-py is restored, with 2 versions.').waitFor()
    await page.getByRole('heading', { name: 'Versions', exact: true }).waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('a model is renamed, and a name that is taken is refused in words', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/churn-py')
    await page.getByRole('button', { name: 'Rename', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Programs that ask for churn-py no longer find it').waitFor()
    await dialog.getByLabel('New name').fill('card-fraud')
    await confirm(page, 'Rename')
    await dialog.getByRole('alert').getByText('already exists').first().waitFor()
    await dialog.getByLabel('New name').fill('churn')
    await dialog.getByRole('button', { name: 'Rename', exact: true }).click()
    await page.waitForURL(/\/models\/churn$/)
    await page.getByRole('heading', { name: 'churn', exact: true }).waitFor()
  })

  test('what is live cannot be deleted, and says why in words', async () => {
    const opened = await open()
    const { page } = opened
    for (const path of ['/models/card-fraud', '/models/card-fraud/1']) {
      await show(opened, path)
      const button = page.getByRole('button', { name: 'Delete', exact: true })
      expect(await button.getAttribute('aria-disabled')).toBe('true')
      await page.locator('.why-not', { hasText: 'answers traffic' }).waitFor()
      await button.click({ force: true })
      expect(await page.getByRole('dialog').count()).toBe(0)
    }
  })

  test('a brought version says what it is, whether it can be served, and what its run logged', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/churn-py/1')
    await page.getByText('A model of sklearn that a client logged').waitFor()
    await page.getByText('Can be served: no').waitFor()
    await page.getByText('It is a pickle, which is code').waitFor()
    expect(await page.getByText('assay models score').count()).toBe(0)
    await page.getByRole('heading', { name: 'Parameters' }).waitFor()
    await page.getByText('max_depth').waitFor()
    await show(opened, '/models/churn-py/2')
    await page.getByText('Can be served: yes').waitFor()
    await page.getByText('npx assay models score churn-py@2 rows.csv').waitFor()
  })
})
