/** The chart's colours, read from style.css so that both themes live in one place. */

/** What the canvas needs, as `rgb()` text. */
export interface ChartColors {
  background: string;
  text: string;
  grid: string;
  line: string;
  up: string;
  down: string;
  upVolume: string;
  downVolume: string;
  crosshair: string;
  crosshairLabel: string;
}

const properties: Record<keyof ChartColors, string> = {
  background: '--chart',
  text: '--muted',
  grid: '--grid',
  line: '--line',
  up: '--up',
  down: '--down',
  upVolume: '--up-volume',
  downVolume: '--down-volume',
  crosshair: '--faint',
  crosshairLabel: '--label',
};

/** The colours of the theme in force at `host`. */
export function readChartColors(host: HTMLElement): ChartColors {
  // `light-dark()` is resolved in a property that is used, not in a custom one: a probe's colour tells.
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const style = getComputedStyle(probe);
  const colorOf = (property: string): string => {
    probe.style.color = `var(${property})`;
    return style.color;
  };
  const colors = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, colorOf(property)]),
  );
  probe.remove();
  return colors as Record<keyof ChartColors, string>;
}
