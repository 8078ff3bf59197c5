import { type SVGTemplateResult, svg } from 'lit';

/** The drawing of the start page: a body in soft strokes and its skeleton over it, left and right told apart. */
const BODY: [string, number][] = [
  ['M120 62v14', 22],
  ['M98 92h44', 34],
  ['M120 92v66', 54],
  ['M120 140v24', 50],
  ['M96 88 54 128', 21],
  ['M54 128 24 160', 17],
  ['M144 88l42 40', 21],
  ['M186 128l30 32', 17],
  ['M107 164l-6 62', 27],
  ['M101 226l-4 58', 20],
  ['M133 164l6 62', 27],
  ['M139 226l4 58', 20],
  ['M97 286l-10 7', 14],
  ['M143 286l10 7', 14],
];

/** Joints as x, y, parent and side; the figure faces the reader, so its left is on the right. */
const JOINTS: [number, number, number, 'centre' | 'left' | 'right'][] = [
  [120, 160, -1, 'centre'],
  [120, 130, 0, 'centre'],
  [120, 98, 1, 'centre'],
  [120, 70, 2, 'centre'],
  [120, 40, 3, 'centre'],
  [143, 88, 2, 'left'],
  [186, 128, 5, 'left'],
  [216, 160, 6, 'left'],
  [97, 88, 2, 'right'],
  [54, 128, 8, 'right'],
  [24, 160, 9, 'right'],
  [133, 168, 0, 'left'],
  [139, 226, 11, 'left'],
  [143, 282, 12, 'left'],
  [107, 168, 0, 'right'],
  [101, 226, 14, 'right'],
  [97, 282, 15, 'right'],
];

export function figure(): SVGTemplateResult {
  return svg`<svg class="figure" viewBox="0 0 240 308" aria-hidden="true">
    <g class="figure-body">
      <circle cx="120" cy="36" r="27" />
      ${BODY.map(([path, width]) => svg`<path d=${path} stroke-width=${width} />`)}
    </g>
    <g class="figure-bones">
      ${JOINTS.map(([x, y, parent, side]) => {
        const from = JOINTS[parent];
        return from ? svg`<path class=${side} d=${`M${from[0]} ${from[1]}L${x} ${y}`} />` : '';
      })}
      ${JOINTS.map(([x, y, , side]) => svg`<circle class=${side} cx=${x} cy=${y} r="4.2" />`)}
    </g>
  </svg>`;
}
