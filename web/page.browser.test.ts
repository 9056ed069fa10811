// The built page over the fixture bank, in a real browser. `npm run build:web` is run first where
// dist-web/ is missing.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { pagesInBrowser } from '../test/page-in-browser.ts'
import { needs } from '../test/tools.ts'
import { createRunBook } from './fixtures/experiments.ts'
import { fileId } from './fixtures/learn-file.ts'

/** Runs that a Python client logged. */
const sweep = createRunBook()
  .rows.filter(({ experimentId }) => experimentId === '2')
  .slice(0, 8)
  .map(({ id }) => id)

const screens = [
  '/',
  '/decisions',
  '/decisions/live',
  '/decisions/live?outcome=review,decline',
  '/decisions/card-fraud/1820009',
  '/policies/card-fraud',
  '/policies/card-fraud/drafts/new',
  '/policies/card-fraud/drafts/draft_1',
  '/policies/card-fraud/backtest',
  '/lists',
  '/cases',
  '/cases?status=closed',
  '/calls',
  '/calls?amount=1',
  '/data',
  '/data/transactions',
  '/data/transactions/difference?before=2&after=4',
  '/data/quarantine',
  '/features',
  '/features?entity=customer_id&sort=psi&descending=yes',
  '/features?text=nothing-like-it',
  '/features/handbook/TERMINAL_ID_RISK_7DAY_WINDOW?of.terminal_id=3156',
  '/features/handbook?of.customer_id=596',
  '/features/handbook/TX_AMOUNT',
  '/features/customer-profile/CREDIT_LIMIT?of.customer_id=596',
  '/features/card-behaviour/TERMINAL_RISK_SMALL_7D_AGO_28D?of.terminal_id=31560',
  '/experiments',
  '/experiments/run_01k4tree',
  '/experiments/compare?ids=run_01k4tree,run_01k4logi',
  `/experiments/compare?show=parallel&ids=${sweep.join(',')}`,
  `/experiments/compare?show=curves&smooth=0.6&metric=loss&ids=${sweep.join(',')}`,
  `/experiments/compare?show=scatter&ids=${sweep.join(',')}`,
  `/experiments/compare?show=bars&ids=${sweep.join(',')}`,
  '/experiments?experiment=2&columns=metrics.*,params.*,tags.*&order=metrics.auc desc',
  `/experiments/${sweep[1] ?? ''}?file=model/MLmodel`,
  '/experiments/connect',
  '/experiments/learn',
  `/experiments/learn?file=${fileId}`,
  '/experiments/learn/pipe_01k4learn',
  '/experiments/learn/pipe_01k4going',
  '/experiments/learn/pipe_01k4failed',
  '/models',
  '/models/card-fraud',
  '/models/card-fraud/1',
  '/models/card-fraud/2',
  '/models/churn-py',
  '/models/churn-py/1',
  '/models/churn-py/2',
  '/pipelines',
  '/pipelines?pipeline=create-text-dataset',
  '/pipelines/pipe_01k4main',
  '/pipelines/pipe_01k4texts?step=approve',
  '/lineage',
  '/lineage?kind=version&id=card-fraud/1',
  '/monitoring',
  '/monitoring/actions',
  '/endpoints',
  '/endpoints/card-fraud',
  '/governance',
  '/audit',
  '/audit?entry=7',
] as const

describe.skipIf(!needs('chromium'))('the page in a browser', () => {
  const { open, show } = pagesInBrowser()

  for (const scheme of ['light', 'dark'] as const) {
    test(
      `every screen shows itself without a complaint and with readable colours, ${scheme}`,
      async () => {
        const opened = await open({ scheme })
        for (const path of screens) {
          await show(opened, path)
          expect(opened.complaints, path).toEqual([])
          expect(await opened.page.locator('.state-failed').count(), path).toBe(0)
          expect(await faint(opened.page), path).toEqual([])
        }
      },
      screens.length * 4_000,
    )
  }

  test(
    'no screen scrolls sideways at 360 pixels',
    async () => {
      const opened = await open({ width: 360 })
      for (const path of screens) {
        await show(opened, path)
        const over = await opened.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        expect(over, path).toBe(0)
      }
    },
    screens.length * 4_000,
  )

  test(
    'every control has a name and every field a label',
    async () => {
      const opened = await open()
      for (const path of screens) {
        await show(opened, path)
        expect(await nameless(opened.page), path).toEqual([])
      }
    },
    screens.length * 4_000,
  )

  test('a new bank says on each screen what to do', async () => {
    const opened = await open({ scenario: 'empty' })
    for (const path of ['/', '/decisions', '/data', '/features', '/experiments', '/models']) {
      await show(opened, path)
      await opened.page.locator('.state-title').first().waitFor()
      expect(await opened.page.locator('.command').count(), path).toBeGreaterThan(0)
    }
    expect(opened.complaints).toEqual([])
  }, 60_000)

  test('the overview follows the first start stage by stage', async () => {
    const opened = await open({ scenario: 'starting' })
    await show(opened, '/')
    await opened.page.getByText('28 features; live equals history: 0 differences').waitFor()
    await opened.page.getByText('boosted-trees: 96 of 240 trees').waitFor()
  })

  test('a failure says what happened, what is safe and what to do', async () => {
    const opened = await open({ scenario: 'failing' })
    await opened.page.goto(`${opened.base}/monitoring`)
    const alert = opened.page.getByRole('alert').first()
    await alert.waitFor({ timeout: 20_000 })
    const words = await alert.textContent()
    expect(words).toContain('not readable')
    expect(words).toContain('is on disk')
    expect(words).toContain('npm start')
  }, 40_000)

  test('without a session it asks for the key, and the key opens what was asked for', async () => {
    const opened = await open()
    opened.bank.signedIn = false
    await opened.page.goto(`${opened.base}/models`)
    await opened.page.getByText('npx assay open').waitFor()
    await opened.page.getByLabel('Key', { exact: true }).fill('wrong')
    await opened.page.getByRole('button', { name: 'Sign in' }).click()
    await opened.page.getByText('No identity has this key.').waitFor()
    await opened.page.getByLabel('Key', { exact: true }).fill('assay-key')
    await opened.page.getByRole('button', { name: 'Sign in' }).click()
    await opened.page.getByRole('heading', { name: 'Models' }).waitFor()
  })

  test('a used sign-in link says so, and the key leads to the overview', async () => {
    const opened = await open()
    opened.bank.signedIn = false
    await opened.page.goto(`${opened.base}/sign-in?expired=1`)
    await opened.page.getByText('That link was used already').waitFor()
    await opened.page.getByLabel('Key', { exact: true }).fill('assay-key')
    await opened.page.getByRole('button', { name: 'Sign in' }).click()
    await opened.page.getByRole('heading', { name: 'Decisions now' }).waitFor()
    expect(new URL(opened.page.url()).pathname).toBe('/')
  })

  test('filters stand in the address, survive a reload and go into the export', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/decisions')
    await page.getByRole('button', { name: 'Decline' }).click()
    await page.getByLabel('Amount from').fill('250')
    await page.waitForURL(/outcome=decline.*amountMin=250/)
    await page.reload()
    await page.locator('.table-row').first().waitFor()
    const outcomes = await page.locator('.table-row .mark').allTextContents()
    expect(
      new Set(outcomes.filter((word) => ['Allow', 'Review', 'Decline'].includes(word))),
    ).toEqual(new Set(['Decline']))
    const href = await page.getByRole('link', { name: 'CSV' }).getAttribute('href')
    expect(href).toContain('outcome=decline')
    expect(href).toContain('amountMin=250')
    expect(href).not.toContain('limit')
  })

  test('100,000 decisions scroll with a few rows in the document', async () => {
    const opened = await open()
    opened.bank.count = 100_000
    const { page } = opened
    await show(opened, '/decisions')
    const table = page.getByRole('table', { name: 'Decisions' })
    await table.waitFor()
    expect(await table.getAttribute('aria-rowcount')).toBe('100001')
    for (let i = 0; i < 12; i += 1) {
      await table.evaluate((element) => element.scrollTo(0, element.scrollHeight))
      await page.waitForTimeout(60)
    }
    const last = await page.locator('.table-row').last().getAttribute('aria-rowindex')
    expect(Number(last)).toBeGreaterThan(600)
    expect(await page.locator('.table-row').count()).toBeLessThan(80)
  })

  test('J and K walk the filtered decisions, in the list and on one decision', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/decisions?outcome=review')
    await page.locator('.table-row').first().waitFor()
    await page.keyboard.press('j')
    await page.waitForURL(/at=\d+/)
    const first = new URL(page.url()).searchParams.get('at')
    await page.keyboard.press('j')
    await page.waitForFunction((at) => !location.search.includes(`at=${at}`), first)
    await page.keyboard.press('k')
    await page.waitForURL(new RegExp(`at=${first}`))
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/decisions/card-fraud/${first}\\?outcome=review`))
    await page.getByRole('heading', { name: 'Why' }).waitFor()
    await page.keyboard.press('j')
    await page.waitForURL((url) => !url.pathname.endsWith(`/${first}`))
    await page.getByRole('heading', { name: 'Why' }).waitFor()
    await page.keyboard.press('r')
    await page.getByText('Identical: 31 of 31').waitFor()
  })

  test('a verdict by key can be taken back for ten seconds', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/cases')
    await page.locator('.table-row.is-selected').waitFor()
    await page.getByRole('group', { name: 'Verdict' }).waitFor()
    await page.keyboard.press('f')
    const undo = page.getByRole('button', { name: 'Undo U' }).first()
    await undo.waitFor()
    expect([...bank.verdicts.values()].map((one) => one.current?.value)).toEqual(['fraud'])
    await page.keyboard.press('u')
    await page.getByText('Taken back').waitFor()
    expect(bank.verdicts.size).toBe(0)
  })

  test('marked cases get one verdict, and it is taken back as one', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/cases')
    await page.locator('.table-row.is-selected').waitFor()
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    const bulk = page.getByRole('group', { name: 'Marked cases' })
    await bulk.getByText('2 marked').waitFor()
    await bulk.getByRole('button', { name: 'Genuine' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('One ring, looked at together')
    await page.getByRole('button', { name: 'Close 2 cases' }).click()
    await page.getByText('2 cases closed').waitFor()
    expect(bank.verdicts.size).toBe(2)
    await page.keyboard.press('u')
    await page.getByText('Taken back').waitFor()
    expect(bank.verdicts.size).toBe(0)
  })

  test('a case is taken, gets a note and is handed over, all by key but the last', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/cases')
    await page.getByRole('group', { name: 'Verdict' }).waitFor()
    await page.keyboard.press('a')
    await page.getByText('You have it').waitFor()
    await page.keyboard.press('n')
    await page.getByRole('dialog').getByLabel('Note').fill('The customer travels')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Note: The customer travels').waitFor()
    await page.getByLabel('Hand over to').selectOption('id_mira')
    await page.getByText('Mira K. has it', { exact: true }).waitFor()
    expect([...bank.caseWork.values()][0]?.history).toHaveLength(3)
  })

  test('rows that come in wait until they are asked for, so that nothing moves', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/cases')
    const first = page.locator('.cases .table-row').first()
    const before = await first.textContent()
    bank.count += 3_000
    await page.getByText(/more came in/).waitFor({ timeout: 15_000 })
    expect(await first.textContent()).toBe(before)
    await page.keyboard.press('r')
    await page.getByText(/more came in/).waitFor({ state: 'detached' })
  })

  test('a customer who calls is let through until a time only after a second look', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/calls?amount=1')
    await page.getByRole('list', { name: 'Payments' }).waitFor()
    await page.getByText('was declined because').waitFor()
    await page.getByRole('button', { name: 'Show what it means' }).click()
    const allow = page.getByRole('button', { name: /^Allow until/ })
    await page.getByText('These can still refuse it: blocked-card.').waitFor()
    expect(await allow.isDisabled()).toBe(true)
    await page.getByLabel('Reason').fill('Called, travels in Portugal')
    await allow.click()
    await page.getByText(/is on “travelling” until/).waitFor()
  })

  test('a closed case is corrected with a reason', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/cases?status=all')
    await page.keyboard.press('g')
    await page.waitForFunction(() => document.body.textContent?.includes('Genuine:'))
    const [first] = bank.verdicts.entries()
    const [id, held] = first ?? ['', undefined]
    if (held?.current != null) {
      bank.verdicts.set(id, { ...held, current: { ...held.current, undoUntil: null } })
    }
    await show(opened, `/cases?status=all&at=${id}`)
    await page.getByRole('button', { name: 'Correct' }).click()
    await page.getByRole('dialog').getByText('Fraud', { exact: true }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('The customer called')
    await page.getByRole('dialog').getByRole('button', { name: 'Correct' }).click()
    await page.getByText('the earlier verdict stays').waitFor()
  })

  test('Ctrl-K finds an object by a few letters and opens it', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await page.keyboard.type('risk_7')
    await page.getByRole('option', { name: /TERMINAL_ID_RISK_7DAY_WINDOW/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/features\/handbook\/TERMINAL_ID_RISK_7DAY_WINDOW/)
  })

  test('a row in quarantine is mended and submitted again', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/data/quarantine')
    await page.getByRole('button', { name: 'Mend row 583118' }).click()
    await page.getByLabel('TX_AMOUNT').fill('12.40')
    await page.getByRole('dialog').getByLabel('Reason').fill('Comma for a point')
    await page.getByRole('button', { name: 'Submit again' }).click()
    await page.getByText('1 row accepted').waitFor()
    expect([...bank.resubmitted]).toEqual(['q_2'])
  })

  test('the log is verified from the overview’s “Try”', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/')
    await page.getByRole('link', { name: 'Verify the log' }).click()
    await page.getByText('Nothing was changed').waitFor()
  })

  test('decisions stand still under the pointer', async () => {
    const opened = await open()
    const { page, bank } = opened
    await show(opened, '/')
    await page.locator('.live-table tbody tr').first().hover()
    await page.getByText('Paused under the pointer').waitFor()
    await page.waitForTimeout(1_200)
    const before = await page.locator('.live-table').first().textContent()
    bank.count += 5
    await page.waitForTimeout(1_500)
    expect(await page.locator('.live-table').first().textContent()).toBe(before)
    await page.locator('h1').hover()
    await page.waitForFunction(
      (text) => document.querySelector('.live-table')?.textContent !== text,
      before,
    )
  })

  test('each chart has a table behind it', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/monitoring')
    const chart = page.locator('.chart', { hasText: 'Latency' })
    await chart.getByRole('button', { name: /Table/ }).click()
    expect(await chart.locator('tbody tr').count()).toBeGreaterThan(10)
  })

  test('what cannot be done now says why beside its button', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/models/card-fraud/2')
    await page.getByText('The gate refused it; an approval would change nothing.').waitFor()
    await page.getByText('It has not passed its gate.').waitFor()
  })

  test('the keyboard alone reaches the content and shows where it is', async () => {
    const opened = await open()
    const { page } = opened
    await show(opened, '/')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip')
    for (let i = 0; i < 25; i += 1) {
      await page.keyboard.press('Tab')
      const outline = await page.evaluate(() => {
        const element = document.activeElement
        if (element === null || element === document.body) return 'solid'
        return getComputedStyle(element).outlineStyle
      })
      expect(outline, `after ${i + 2} tabs`).not.toBe('none')
    }
  })
})

/** Texts whose colour has less contrast with what is behind them than WCAG AA asks. */
async function faint(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const numbers = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
    const light = (color: readonly number[]) => {
      const [r = 0, g = 0, b = 0] = color.map((part) => {
        const c = part / 255
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = (element: Element): number[] => {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const color = numbers(getComputedStyle(at).backgroundColor)
        if (color.length === 3 || (color[3] ?? 0) > 0.99) return color.slice(0, 3)
      }
      return [255, 255, 255]
    }
    const found = new Set<string>()
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement
      const text = node.textContent?.trim() ?? ''
      if (element === null || text === '' || !element.checkVisibility()) continue
      if (
        element.closest(
          '.visually-hidden, .skip-link, :disabled, [data-disabled], noscript, script, option',
        )
      )
        continue
      const style = getComputedStyle(element)
      const a = light(numbers(style.color).slice(0, 3))
      const b = light(behind(element))
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      const large = parseFloat(style.fontSize) >= 24
      if (ratio < (large ? 3 : 4.5)) {
        found.add(`${ratio.toFixed(2)} "${text.slice(0, 30)}" ${element.className} ${style.color}`)
      }
    }
    return [...found]
  })
}

/** Buttons, links and fields that a screen reader could not name. */
async function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, a[href], input, select, textarea, [role=img]')]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const labels = (element as HTMLInputElement).labels
        return (
          (element.textContent?.trim() ?? '') === '' &&
          (element.getAttribute('aria-label') ?? '') === '' &&
          (element.getAttribute('title') ?? '') === '' &&
          (labels === null || labels === undefined || labels.length === 0) &&
          element.querySelector('img[alt]:not([alt=""])') === null
        )
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  )
}
