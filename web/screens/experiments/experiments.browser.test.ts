// Experiments over the fixture bank, in a real browser: 1,000 runs with 1,000 columns among them.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../../../test/page-in-browser.ts'
import { needs } from '../../../test/tools.ts'
import { createRunBook } from '../../fixtures/experiments.ts'

const sweep = createRunBook().rows.filter(({ experimentId }) => experimentId === '2')
const everything = '/experiments?experiment=2&columns=metrics.*,params.*,tags.*'

const rows = (page: Page) => page.getByRole('table', { name: 'Runs' }).locator('.wide-row')
const names = (page: Page) => rows(page).locator('.wide-pinned a').allTextContents()

describe.skipIf(!needs('chromium'))('experiments in a browser', () => {
  const { open, show } = pagesInBrowser()

  test('of 1,000 runs with 1,000 columns only what is seen is in the document', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, everything)
    const table = page.getByRole('table', { name: 'Runs' })
    await rows(page).first().waitFor()
    expect(Number(await table.getAttribute('aria-colcount'))).toBeGreaterThan(990)
    expect(Number(await table.getAttribute('aria-rowcount'))).toBe(1001)
    const most = async () => {
      expect(await rows(page).count()).toBeLessThan(60)
      expect(await table.locator('[role=cell]').count()).toBeLessThan(1_500)
    }
    await most()
    await table.evaluate((element) => element.scrollTo({ left: 80_000 }))
    await page
      .getByRole('columnheader', { name: /feature_weight_0/ })
      .first()
      .waitFor()
    await most()
    // To the end of what is there, page after page, until the last run is seen.
    for (let i = 0; i < 30 && !(await names(page)).includes('wise-heron-999'); i += 1) {
      await table.evaluate((element) => element.scrollTo({ top: element.scrollHeight }))
      await page.waitForTimeout(250)
    }
    expect(await names(page)).toContain('wise-heron-999')
    await most()
    expect(opened.complaints).toEqual([])
  }, 60_000)

  test('scrolling through all of it never holds the page up', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, everything)
    await rows(page).first().waitFor()
    const held = await page.getByRole('table', { name: 'Runs' }).evaluate(async (element) => {
      const frame = () => new Promise((done) => requestAnimationFrame(done))
      const spent: number[] = []
      for (let i = 0; i < 40; i += 1) {
        element.scrollBy({ top: 60, left: 400 })
        const before = performance.now()
        await frame()
        spent.push(performance.now() - before)
      }
      return spent.sort((a, b) => a - b)[Math.floor(spent.length / 2)] ?? 0
    })
    // Half of the frames; single ones wait for whatever else the machine does.
    expect(held).toBeLessThan(50)
  }, 60_000)

  test('a filter narrows the runs, completes names, and says where it cannot be read', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=2')
    await page.keyboard.press('/')
    const field = page.getByRole('combobox', { name: 'Filter' })
    await field.pressSequentially('max_d')
    await page.getByRole('option', { name: /params\.max_depth/ }).waitFor()
    await field.press('Tab')
    expect((await field.inputValue()).trim()).toBe('params.max_depth')
    await field.pressSequentially("= '10'")
    await field.press('Enter')
    await page.waitForURL(/filter=/)
    await page.getByText('100 shown').waitFor()
    await field.fill('metrics.auc >')
    await field.press('Enter')
    const alert = page.getByRole('alert')
    await alert.getByText('Expected a comparison').waitFor()
    expect(await alert.locator('mark').textContent()).toBe('metrics.auc')
    await page.getByText('The filter cannot be read').waitFor()
  })

  test('pressing a head sorts all runs on the server, and the address tells it', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=2&columns=metrics.accuracy')
    await page.getByRole('button', { name: /accuracy/ }).click()
    await page.waitForURL(/order=metrics\.accuracy\+desc/)
    const head = page.getByRole('columnheader', { name: /accuracy/ })
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    const shown = async () => (await rows(page).locator('.wide-at').allTextContents()).map(Number)
    await expect.poll(async () => (await shown())[0]).toBeGreaterThan(0.97)
    expect(await shown()).toEqual((await shown()).toSorted((a, b) => b - a))
  })

  test('only differences leaves out what all shown runs have alike', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=2&columns=params.n_jobs,params.max_depth')
    await page.getByRole('columnheader', { name: /n_jobs/ }).waitFor()
    await page.getByRole('button', { name: 'Only differences' }).click()
    await page.getByRole('columnheader', { name: /n_jobs/ }).waitFor({ state: 'detached' })
    await page.getByRole('columnheader', { name: /max_depth/ }).waitFor()
  })

  test('columns are found by a few letters and stand in the address', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=2')
    await page.getByRole('button', { name: /Columns/ }).click()
    await page.getByLabel('Find a column').fill('weight_321')
    await page.getByLabel('feature_weight_321').click()
    await page.waitForURL(/feature_weight_321/)
    await page.getByRole('columnheader', { name: /feature_weight_321/ }).waitFor({
      state: 'attached',
    })
  })

  test('a view is saved under a name and brings filter, columns and order back', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=2&order=metrics.auc desc&filter=metrics.auc > 0.9')
    await page.getByRole('button', { name: 'Views' }).click()
    await page.getByRole('menuitem', { name: 'Save this view…' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Best first')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved as “Best first”').waitFor()
    await show(opened, '/experiments')
    await page.getByRole('button', { name: 'Views' }).click()
    await page.getByRole('menuitem', { name: /Best first/ }).click()
    await page.waitForURL(/order=metrics\.auc/)
    expect(new URL(page.url()).searchParams.get('filter')).toBe('metrics.auc > 0.9')
  })

  test('runs chosen by keyboard are compared; deleted ones come back by undo', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/experiments?experiment=1')
    await rows(page).first().waitFor()
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key)
    await page.getByText('2 runs chosen').waitFor()
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('2 runs deleted.').waitFor()
    await page.waitForFunction(() => document.querySelectorAll('.wide-row').length === 1)
    await page.getByRole('button', { name: /Undo/ }).click()
    await page.waitForFunction(() => document.querySelectorAll('.wide-row').length === 3)
    for (const name of ['boosted-trees', 'logistic-regression']) {
      await page.getByLabel(`Choose ${name}`, { exact: true }).check()
    }
    await page.getByRole('link', { name: 'Compare 2' }).click()
    await page.getByRole('heading', { name: '2 runs compared' }).waitFor()
  })

  test('many runs are compared in tables that scroll, in curves, and over parallel axes', async () => {
    const opened = await open()
    const { page } = opened
    const ids = sweep.slice(1, 41).map(({ id }) => id)
    await show(opened, `/experiments/compare?ids=${ids.join(',')}`)
    const table = page.getByRole('table', { name: 'Parameters' })
    await table.getByText('max_depth').waitFor()
    expect(await table.getByText('n_jobs').count()).toBe(0)
    await page.getByRole('button', { name: 'Curves' }).click()
    await page.getByLabel('Metric').selectOption('loss')
    await page.locator('.uplot canvas').waitFor()
    await page.getByRole('button', { name: 'Logarithmic' }).click()
    await page.waitForURL(/scale=log/)
    await page.getByRole('button', { name: /Table of loss/ }).click()
    await page.getByRole('region', { name: 'Values' }).waitFor()
    await page.getByRole('button', { name: 'Parallel' }).click()
    await page.locator('.parallel-line').first().waitFor()
    expect(await page.locator('.parallel-line').count()).toBe(40)
    const grip = (await page.locator('.parallel-grip').nth(2).boundingBox())!
    await page.mouse.move(grip.x + 10, grip.y + 2)
    await page.mouse.down()
    await page.mouse.move(grip.x + 10, grip.y + 60)
    await page.mouse.up()
    expect(await page.locator('.parallel-line.is-out').count()).toBeGreaterThan(5)
    expect(opened.complaints).toEqual([])
  })

  test('a run of a client tells what can be served, and its files are shown as what they are', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, `/experiments/${sweep[1]?.id ?? ''}`)
    await page.getByText('Can be served: no').waitFor()
    await page.getByText('mlflow.xgboost.log_model').waitFor()
    await page.getByRole('button', { name: 'plots' }).click()
    await page.getByRole('button', { name: /page\.html/ }).click()
    await page.getByText('<script>alert(1)</script>').waitFor()
    await page.getByRole('button', { name: 'Edit team' }).click()
    await page.getByLabel('Value', { exact: true }).fill('fraud')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.locator('.tag-value', { hasText: 'fraud' }).waitFor()
    expect(opened.complaints).toEqual([])
  })

  test('the links that a client prints open the run and the experiment', async () => {
    const opened = await open()
    const { page, base } = opened
    const id = sweep[3]?.id ?? ''
    await page.goto(`${base}/#/experiments/2/runs/${id}`)
    await page.getByRole('heading', { name: sweep[3]?.name ?? '' }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`/experiments/${id}`)
    await page.goto(`${base}/#/experiments/2`)
    await page.getByRole('heading', { name: 'sweep' }).waitFor()
  })

  test('connecting: an administrator makes a key, which stands ready to be copied', async () => {
    const opened = await open()
    const { page, base } = opened
    await show(opened, '/experiments/connect')
    await page.getByText(`MLFLOW_TRACKING_URI=${base}`).waitFor()
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.getByText('MLFLOW_TRACKING_TOKEN=ak_4f1d').waitFor()
    await page.getByText('Waiting for a new run…').waitFor()
  })

  test('a server that keeps nothing says so on every screen, and asks for no key', async () => {
    const opened = await open({ scheme: 'dark' })
    opened.bank.ephemeral = true
    for (const path of ['/', '/experiments', '/experiments/connect']) {
      await show(opened, path)
      await opened.page.getByRole('alert').getByText('Nothing is kept').waitFor()
    }
    expect(await opened.page.getByText('MLFLOW_TRACKING_TOKEN').count()).toBe(0)
  })

  test('on a narrow page runs are a list that fits', async () => {
    const opened = await open({ width: 360 })
    const { page } = opened
    await show(opened, '/experiments?experiment=2')
    await page.getByRole('link', { name: 'calm-otter-1', exact: true }).waitFor()
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBeLessThanOrEqual(360)
  })

  test('on a narrow page compared runs stand below each other, metric by metric', async () => {
    const opened = await open({ width: 390 })
    const { page } = opened
    await show(opened, '/experiments/compare?ids=run_01k4tree,run_01k4logi')
    const metric = page.getByRole('list', { name: 'Metrics' }).locator('> li').first()
    for (const name of ['boosted-trees', 'logistic-regression']) {
      const box = (await metric.getByRole('link', { name }).boundingBox())!
      expect(box.x).toBeGreaterThanOrEqual(0)
      expect(box.x + box.width).toBeLessThanOrEqual(390)
    }
    // Of more runs two stand whole beside the names.
    const ids = sweep.slice(1, 9).map(({ id }) => id)
    await show(opened, `/experiments/compare?ids=${ids.join(',')}`)
    const heads = page
      .getByRole('table', { name: 'Metrics' })
      .locator('.wide-head .wide-at')
      .filter({ visible: true })
    const second = (await heads.nth(1).boundingBox())!
    expect(second.x + second.width).toBeLessThanOrEqual(390)
  })

  test('curves begin with a metric that has one; single values stand in a table', async () => {
    const opened = await open()
    const { page } = opened
    const ids = sweep.slice(1, 4).map(({ id }) => id)
    await show(opened, `/experiments/compare?show=curves&ids=${ids.join(',')}`)
    await page.locator('.uplot canvas').waitFor()
    await page.getByLabel('Metric').selectOption('accuracy')
    await page.getByText('Each run logged accuracy once').waitFor()
    await page.getByRole('region', { name: 'accuracy' }).waitFor()
    expect(await page.locator('.uplot canvas').count()).toBe(0)
    expect(await page.getByText('Smoothing').count()).toBe(0)
  })

  test('an empty store says how a first run comes about', async () => {
    const opened = await open({ scenario: 'empty' })
    const { page } = opened
    await show(opened, '/experiments')
    await page.getByText('No runs yet').waitFor()
    await page.getByRole('link', { name: 'connect a client', exact: true }).click()
    await page.getByText('Waiting for your first run…').waitFor()
  })
})
