import './styles/layers.css'
import './styles/mantine.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/screens.css'
import './styles/cases.css'
import './styles/features.css'
import './styles/backtest.css'
import './styles/visitors.css'
import './styles/learning.css'
import './styles/graph.css'
import './styles/policies.css'
import './styles/experiments.css'
import { createTheme, localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createQueries } from './client/queries.ts'
import { createPageRouter } from './router.tsx'

const queries = createQueries(() => {
  void queries.invalidateQueries({ queryKey: ['session'] })
})
const router = createPageRouter()
const theme = createTheme({
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { variant: 'filled' } },
    // Locking the scroll would inject a style element, which our policy forbids.
    Modal: { defaultProps: { lockScroll: false, closeButtonProps: { 'aria-label': 'Close' } } },
  },
})

const place = document.getElementById('page')
if (place === null) throw new Error('index.html has no #page')
createRoot(place).render(
  <StrictMode>
    {/* Variables and global classes come from our own sheets: no style element is injected. */}
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: 'assay-scheme' })}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
