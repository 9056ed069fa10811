// An endpoint over the fixture bank, in a real browser.
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'

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
})
