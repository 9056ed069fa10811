// The catalogue of features over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

describe.skipIf(!needs('chromium'))('features in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('the catalogue is filtered, sorted and exported as one, and its address says how', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features')
    await page.getByText('23 features', { exact: false }).first().waitFor()
    await page.getByLabel('All entities').selectOption('customer_id')
    await page.getByText('12 of 23 features').waitFor()
    await page.getByRole('button', { name: 'PSI' }).click()
    await page.waitForURL(/entity=customer_id.*sort=psi.*descending=yes/)
    const header = page.getByRole('columnheader', { name: 'PSI' })
    expect(await header.getAttribute('aria-sort')).toBe('descending')
    const href = (await page.getByRole('link', { name: 'CSV' }).getAttribute('href')) ?? ''
    for (const part of ['entity=customer_id', 'sort=psi', 'descending=yes', 'format=csv']) {
      expect(href).toContain(part)
    }
    await page.getByLabel('Name, words or key').fill('nothing like it')
    await page.getByText('No feature matches').waitFor()
    await page.getByRole('link', { name: 'Take the filters away' }).click()
    await page.getByText('23 features').waitFor()
    expect(page.url()).toContain('sort=psi')
  })

  test('J, K and Enter walk the filtered features, in the list and on one feature', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features?set=card-behaviour')
    await page.locator('.table-row').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/card-behaviour\/AMOUNT_VS_CUSTOMER_30D\?set=card-behaviour/)
    await page.getByText('1 of 3').waitFor()
    const before = page.getByRole('button', { name: 'Feature before (K)' })
    expect(await before.getAttribute('title')).toBe('The list has none before this one')
    await page.keyboard.press('j')
    await page.waitForURL(/CUSTOMER_SECONDS_SINCE_LAST/)
    await page.keyboard.press('k')
    await page.waitForURL(/AMOUNT_VS_CUSTOMER_30D/)
  })

  test('the value of an entity is looked up, with the events behind it and their decisions', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features/handbook/TERMINAL_ID_RISK_7DAY_WINDOW')
    await page.getByText('Needs terminal_id').waitFor()
    const look = page.getByRole('button', { name: 'Look up' })
    expect(await look.isDisabled()).toBe(true)
    await page.getByRole('textbox', { name: /^terminal_id/ }).fill('3156')
    await page.keyboard.press('Enter')
    await page.waitForURL(/of\.terminal_id=3156/)
    await page.getByText('38 %', { exact: true }).waitFor()
    const events = page.getByRole('region', { name: /^Events: / })
    expect(await events.locator('tbody tr').count()).toBe(8)
    expect(await events.getByRole('link').first().getAttribute('href')).toMatch(
      /^\/decisions\/card-fraud\/\d+$/,
    )
    await page.getByRole('textbox', { name: /^terminal_id/ }).fill('31560')
    await page.keyboard.press('Enter')
    await page.getByText('Absent', { exact: true }).last().waitFor()
    await page.getByText('No event of this entity lies in the window.').waitFor()
    expect(opened.complaints).toEqual([])
    await page.getByRole('textbox', { name: /^terminal_id/ }).fill('x')
    await page.getByText('terminal_id must be a number').waitFor()
    await show(opened, '/features/card-behaviour/AMOUNT_VS_CUSTOMER_30D')
    await page.getByRole('textbox', { name: /^customer_id/ }).fill('596')
    await page.getByRole('textbox', { name: /^amount/ }).fill('many')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('amount must be a decimal number').waitFor()
  })

  test('a set shows all values of an entity, and compares what was recorded', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features/handbook')
    await page.getByText('Needs customer_id or terminal_id').waitFor()
    await page.getByRole('textbox', { name: /^customer_id/ }).fill('596')
    await page.keyboard.press('Enter')
    const values = page.getByRole('region', { name: 'Values now' })
    await values.waitFor()
    expect(await values.locator('tbody tr').count()).toBe(15)
    expect(await values.getByText('missing', { exact: true }).count()).toBeGreaterThan(5)
    await page.getByRole('button', { name: 'Compare all that was recorded' }).click()
    await page.getByText('Live equals history: 0 differences in 1,026,300 values').waitFor()
    await page.getByRole('link', { name: 'Events behind CUSTOMER_ID_NB_TX_7DAY_WINDOW' }).click()
    await page.waitForURL(/CUSTOMER_ID_NB_TX_7DAY_WINDOW\?of\.customer_id=596/)
    await page.getByText('Rests on').waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('zero, missing, absent and stale are counted apart, day by day', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features/customer-profile/CREDIT_LIMIT')
    await page.getByText('newest row, stale after 90 days').waitFor()
    await page.getByRole('button', { name: 'Count the newest events' }).click()
    const table = page.getByRole('region', { name: 'How values came about' })
    await table.waitFor()
    const kinds = await table.locator('tbody tr td:first-child').allTextContents()
    expect(kinds.map((text) => text.split(/(?<=[a-z])(?=[A-Z])/)[0])).toEqual([
      'A value',
      'Zero',
      'Missing',
      'Absent',
      'Stale',
    ])
    await page.getByRole('button', { name: 'Table of Day by day' }).click()
    expect(await page.getByRole('region', { name: 'Day by day' }).locator('tbody tr').count()).toBe(
      14,
    )
    expect(opened.complaints).toEqual([])
    await show(opened, '/features/handbook/TERMINAL_ID_RISK_7DAY_WINDOW')
    await page.getByRole('button', { name: 'Count the newest events' }).click()
    await page.getByText('the declaration then gives 0 %').waitFor()
    expect(await page.getByText('Absent', { exact: true }).count()).toBe(0)
  })

  test('a feature or a set that is not there says so under its name, with the way back', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/features/handbook/NONE')
    await page.getByRole('heading', { level: 1, name: 'NONE' }).waitFor()
    await page.getByRole('alert').waitFor()
    await show(opened, '/features/none')
    await page.getByText('There is no such feature set').waitFor()
    await page.getByRole('link', { name: 'All features' }).click()
    await page.getByText('23 features').waitFor()
  })

  test('what is not known of a feature says why, and no placeholder is shown raw', async () => {
    const opened = await open()
    const { page } = opened
    for (const name of [
      'handbook/TERMINAL_ID_RISK_7DAY_WINDOW',
      'card-behaviour/TERMINAL_RISK_SMALL_7D_AGO_28D',
    ]) {
      await show(opened, `/features/${name}`)
      const facts = await page.locator('.facts').allTextContents()
      expect(facts.join(' '), name).not.toMatch(/[{}]|–/)
    }
    await page.getByText('No distribution is kept').waitFor()
    await show(opened, '/features/handbook/TX_AMOUNT')
    await page.getByText('There is no entity to look up').waitFor()
    expect(await page.getByText('not kept', { exact: true }).count()).toBeGreaterThan(0)
    await page.getByText('Live values are counted in the bins').waitFor()
  })
})
