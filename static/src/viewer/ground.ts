import {
  Color,
  type ColorRepresentation,
  DoubleSide,
  Group,
  Mesh,
  PlaneGeometry,
  ShaderMaterial,
  ShadowMaterial,
} from 'three';

const EXTENT = 12;

const vertexShader = /* glsl */ `
  varying vec2 place;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    place = world.xz;
    gl_Position = projectionMatrix * viewMatrix * world;
  }`;

/* Lines of constant width on the screen, every quarter unit and stronger every whole one, fading outwards. */
const fragmentShader = /* glsl */ `
  varying vec2 place;
  uniform vec3 colour;
  float lines(vec2 at) {
    vec2 width = fwidth(at);
    vec2 near = abs(fract(at - 0.5) - 0.5) / width;
    return 1.0 - min(min(near.x, near.y), 1.0);
  }
  void main() {
    float fade = 1.0 - smoothstep(0.6, 3.4, length(place));
    float strength = max(lines(place * 4.0) * 0.28, lines(place) * 0.6);
    if (strength * fade < 0.004) discard;
    gl_FragColor = vec4(colour, strength * fade);
  }`;

/** The ground: a grid for scale and direction, and the character's shadow. */
export class Ground {
  readonly group = new Group();
  private readonly grid: ShaderMaterial;

  constructor() {
    const plane = new PlaneGeometry(EXTENT, EXTENT).rotateX(-Math.PI / 2);
    this.grid = new ShaderMaterial({
      vertexShader,
      fragmentShader,
      uniforms: { colour: { value: new Color() } },
      transparent: true,
      depthWrite: false,
      side: DoubleSide,
    });
    const shadow = new Mesh(plane, new ShadowMaterial({ opacity: 0.28, depthWrite: false }));
    shadow.receiveShadow = true;
    shadow.position.y = -0.0005;
    this.group.add(new Mesh(plane, this.grid), shadow);
  }

  set colour(colour: ColorRepresentation) {
    this.grid.uniforms.colour?.value.set(colour);
  }
}
