// Before the first paint, so that a chosen theme never flashes.
try {
  const asked = new URLSearchParams(location.search).get('theme');
  const theme = ['light', 'dark'].includes(asked) ? asked : localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage (an opaque origin) the system decides.
}
