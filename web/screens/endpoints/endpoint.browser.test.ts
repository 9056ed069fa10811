// An endpoint over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'
import { endpoint } from '../../fixtures/endpoints.ts'

describe.skipIf(!needs('chromium'))('an endpoint in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('the comparison with a challenger is a file too, of just that challenger', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/endpoints/card-fraud')
    await page.getByRole('heading', { name: 'v2 against the champion' }).waitFor()
    const files = page.locator('.export-links a')
    const addresses = await files.evaluateAll((links) =>
      links.map((link) => link.getAttribute('href')),
    )
    expect(addresses).toEqual([
      '/api/v1/comparisons?policy=card-fraud&name=v2&format=csv',
      '/api/v1/comparisons?policy=card-fraud&name=v2&format=parquet',
    ])
    expect(opened.complaints).toEqual([])
  })

  test('with two challengers no two links to files have the same name', async () => {
    const opened = await open()
    const { page } = opened
    const shown = endpoint('card-fraud')
    const [v2] = shown.traffic
    const json = { ...shown, traffic: [v2, { ...v2, name: 'v3' }] }
    await page.route('**/api/v1/endpoints/card-fraud', (route) => route.fulfill({ json }))
    await show(opened, '/endpoints/card-fraud')
    await page.getByRole('heading', { name: 'v3 against the champion' }).waitFor()
    for (const name of ['v2', 'v3']) {
      for (const format of ['CSV', 'Parquet']) {
        const link = page.getByRole('link', { name: `${format}: ${name} against the champion` })
        expect(await link.getAttribute('href')).toContain(`name=${name}&`)
      }
    }
    expect(opened.complaints).toEqual([])
  })
})
