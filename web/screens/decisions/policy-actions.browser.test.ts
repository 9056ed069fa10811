// Who is told of a policy's decisions, in the editor of a draft, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

describe.skipIf(!needs('chromium'))('actions of a draft in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('an action is declared in the draft, and saved as it was written', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    await page.getByRole('button', { name: 'Add an action' }).click()
    const fields = page.getByRole('group', { name: 'action-1' }).first()
    await fields.getByLabel('Address of action-1').fill('https://desk.bank.example/held')
    await fields.getByLabel('Secret of action-1').fill('desk')
    await fields.getByLabel('review').check()
    await fields.getByLabel('decline').check()
    await fields.getByLabel('Only where a rule fired').selectOption('amount-above-220')
    await fields.getByRole('button', { name: 'Not only where amount-above-220 fired' }).waitFor()
    await page.getByRole('button', { name: 'Save draft' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Reason').fill('The desk asked for it')
    const saved = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url().endsWith('/drafts'),
    )
    await dialog.getByRole('button', { name: 'Save draft' }).click()
    const { parts } = (await saved).postDataJSON() as { parts: { actions: object[] } }
    expect(parts.actions).toEqual([
      {
        name: 'action-1',
        to: { webhook: 'https://desk.bank.example/held', secret: 'desk' },
        outcomes: ['review', 'decline'],
        rules: ['amount-above-220'],
      },
    ])
    expect(opened.complaints).toEqual([])
  })

  test('another way has its own place, and one that was added is removed again', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/policies/card-fraud/drafts/new')
    await page.getByRole('button', { name: 'Add an action' }).click()
    await page.getByLabel('By which way action-1 goes').selectOption('topic')
    await page.getByLabel('Topic of action-1').fill('held')
    expect(await page.getByLabel('Secret of action-1').count()).toBe(0)
    await page.getByRole('button', { name: 'Remove action-1' }).click()
    await page.getByLabel('Topic of action-1').waitFor({ state: 'detached' })
    expect(opened.complaints).toEqual([])
  })
})
