// What can be measured of a page's looks.

/** How far the page is wider than the screen, in pixels. A phone's `innerWidth` grows with the page and says nothing. */
export async function sidewaysScroll(page) {
  return (await page.evaluate(() => document.documentElement.scrollWidth)) - page.viewportSize().width;
}

/** Controls that are smaller than `size` on a touch screen, by name and size. */
export function smallTargets(page, size) {
  return page.evaluate((least) => {
    const controls = [...document.querySelectorAll('a[href], button, select, summary, label.button')];
    return controls.flatMap((control) => {
      const { width, height } = control.getBoundingClientRect();
      const shown =
        control.checkVisibility({ visibilityProperty: true }) && width > 1 && !control.closest('.skip');
      if (!shown || control.matches('.skip') || (width >= least && height >= least)) return [];
      return [
        `${control.textContent.trim() || control.ariaLabel}: ${Math.round(width)}x${Math.round(height)}`,
      ];
    });
  }, size);
}

/** Texts whose contrast against what is behind them is below WCAG AA, where that is a plain colour. */
export function faintTexts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const read = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, under) => top.slice(0, 3).map((value, i) => value * top[3] + under[i] * (1 - top[3]));
    const behind = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.backgroundImage !== 'none') return null;
        layers.push(read(style.backgroundColor));
        if (layers.at(-1)[3] === 1) break;
      }
      return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const light = (colour) => {
      const [r, g, b] = colour.map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (
        !text ||
        !element.checkVisibility({ visibilityProperty: true }) ||
        element.closest('.unseen, :disabled')
      )
        continue;
      const under = behind(element);
      if (!under) continue;
      const [a, b] = [light(over(read(getComputedStyle(element).color), under)), light(under)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.add(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
    }
    return [...found];
  });
}
