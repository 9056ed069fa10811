// Learning from a file over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'
import { fileId } from '../../fixtures/learn-file.ts'

describe.skipIf(!needs('chromium'))('learning from a file in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('a chosen file leads to its columns, and the guesses become the question that is sent', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/experiments')
    await page.getByRole('link', { name: 'Learn from a file' }).click()
    await page.getByText('Drop a CSV or Parquet file here').waitFor()
    await page.getByLabel('Choose a file').setInputFiles({
      name: 'bank-marketing.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('age,y\n41,no\n'),
    })
    await page.waitForURL(new RegExp(`file=${fileId}`))
    await page.getByLabel('Learn from duration').uncheck()
    await page.waitForURL(/out=duration/)
    expect(await page.getByLabel('What is to be told').inputValue()).toBe('y')
    expect(await page.getByLabel('The case that matters').inputValue()).toBe('yes')
    await page.getByLabel('What the best is best at').selectOption('ap')
    await page.getByRole('button', { name: 'Learn', exact: true }).click()
    await page.waitForURL(/experiments\/learn\/pipe_01k4going/)
    await page.getByText('Random forest, 2 of 4').waitFor()
    expect(bank.asked).toEqual({
      file: fileId,
      target: 'y',
      positive: 'yes',
      drop: ['duration'],
      goal: 'ap',
      group: 'customer_id',
    })
    expect(opened.complaints).toEqual([])
  })

  test('a dropped file is taken as a chosen one', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments/learn')
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(['age,y\n41,no\n'], 'dropped.csv', { type: 'text/csv' }))
      return transfer
    })
    await page.dispatchEvent('.drop', 'drop', { dataTransfer: data })
    await page.waitForURL(new RegExp(`file=${fileId}`))
  })

  test('what is asked stands in the address and survives a reload', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, `/experiments/learn?file=${fileId}`)
    await page.getByLabel('What is to be told').selectOption('age')
    await page.getByText('A number: 19 to 87').waitFor()
    await page
      .getByLabel('Rows that belong together')
      .selectOption({ label: 'each row for itself' })
    await page.reload()
    await page.getByText('A number: 19 to 87').waitFor()
    expect(await page.getByLabel('What the best is best at').inputValue()).toBe('rmse')
    await page.getByText('each row for itself').first().waitFor({ state: 'attached' })
    expect(new URL(page.url()).searchParams.get('group')).toBe('!none')
  })

  test('a file that is gone says what to do', async () => {
    const opened = await open()
    await opened.page.goto(`${opened.base}/experiments/learn?file=${'0'.repeat(64)}`)
    const words = await opened.page.getByRole('alert').first().textContent()
    expect(words).toContain('such file any more')
  })

  test('what is being learnt is found again, and stopped', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments/learn')
    await page.getByRole('link', { name: 'balance from bank-marketing.csv.gz' }).click()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('balance from bank-marketing.csv.gz: stopped.').waitFor()
  })

  test('the comparison says its verdict, its intervals and its warnings in words', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments/learn/pipe_01k4learn')
    await page.getByText('Random forest is not measurably worse.').waitFor()
    const table = page.getByRole('region', { name: 'Comparison' })
    const row = table.getByRole('row', { name: /Logistic regression/ })
    expect(await row.textContent()).toContain('0.695 to 0.743')
    expect(await row.textContent()).toContain('−0.036 to −0.018')
    await page.getByText('see whether it was known in advance').waitFor()
    const href = await page.getByRole('link', { name: 'Download the report' }).getAttribute('href')
    expect(href).toBe('/api/v1/runs/run_01k4tree/artifacts/report.html')
  })

  test('beeswarm and waterfall have a table behind them that adds up', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments/learn/pipe_01k4learn')
    const swarm = page.locator('.chart', { hasText: 'What pushes' })
    await swarm.locator('circle').first().waitFor()
    expect(await swarm.locator('circle').count()).toBe(5 * 120)
    await swarm.getByRole('button', { name: /Table/ }).click()
    expect(await swarm.locator('tbody tr').count()).toBe(5)

    await show(opened, '/decisions/card-fraud/1820009')
    const fall = page.locator('.chart', { hasText: 'From base to score' })
    await fall.locator('.waterfall').waitFor()
    await fall.getByRole('button', { name: /Table/ }).click()
    const sums = await fall.locator('tbody tr td:last-child').allTextContents()
    // The sum before the last line is the margin, which the last line tells.
    expect(sums.at(-1)).toBe(sums.at(-2))
  })

  test('runs on the same rows show how far they lie from the best, pair by pair', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments/compare?ids=run_01k4tree,run_01k4logi')
    const row = page
      .getByRole('region', { name: 'Metrics' })
      .getByRole('row', { name: /Average precision/ })
    expect(await row.textContent()).toContain('−0.085 (−0.111 to −0.059)')
    expect(await row.locator('.whisker').count()).toBe(2)
  })

  test('a failure to learn tells its reason', async () => {
    const opened = await open()
    await show(opened, '/experiments/learn/pipe_01k4failed')
    await opened.page.getByRole('alert').getByText('never is "maybe"').waitFor()
  })
})
