// Runs before the first paint, so that a stored theme never flashes the other one.
(() => {
  try {
    const theme = localStorage.getItem('autorig.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be closed to us; the system's preference then decides.
  }
})();
