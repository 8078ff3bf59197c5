import {
  type Box3,
  Color,
  DirectionalLight,
  HemisphereLight,
  NeutralToneMapping,
  PCFShadowMap,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Spherical,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/examples/jsm/environments/RoomEnvironment.js';
import { colourOf } from '../theme';
import { Ground } from './ground';

const MAX_PIXEL_RATIO = 2;
const FIELD_OF_VIEW_DEG = 28;
/** Room around the model, which the tools over the picture need too. */
const MARGIN = 1.18;
/** From where a model is first seen: a little from its left and from above. */
const FIRST_VIEW = new Vector3(0.42, 0.16, 1).normalize();

/** Canvas, camera, light and ground. Draws only when something has changed. */
export class Stage {
  readonly scene = new Scene();
  /** Drawn after everything else and on top of it. */
  readonly overlay = new Scene();
  readonly camera = new PerspectiveCamera(FIELD_OF_VIEW_DEG, 1, 0.01, 100);
  /** Called before each picture; returns true while it wants another one. */
  beforeDraw: (now: number) => boolean = () => false;
  /** Called after each picture. */
  afterDraw: () => void = () => {};

  private readonly renderer: WebGLRenderer;
  private readonly controls: OrbitControls;
  private readonly ground = new Ground();
  private readonly key = new DirectionalLight(0xffffff, 1.5);
  private readonly sizes: ResizeObserver;
  private frame = 0;
  /** The box in view while the visitor has not moved the camera: then a new canvas size fits it anew. */
  private fitted: Box3 | null = null;
  /** Pixels at the left that a panel lies over. */
  private inset = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.autoClear = false;
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.shadowMap.autoUpdate = false;
    this.light();
    canvas.addEventListener('webglcontextrestored', this.onRestored);
    this.controls = this.orbit();
    this.applyTheme();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(canvas);
    this.resize();
  }

  /** Asks for a new picture; `shape` also renews the shadow. */
  invalidate(shape = false): void {
    if (shape) this.renderer.shadowMap.needsUpdate = true;
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  /** Looks at the whole box from the front. */
  fit(box: Box3): void {
    const target = box.getCenter(new Vector3());
    const distance = this.distanceFor(box, target, FIRST_VIEW);
    this.camera.position.copy(target).addScaledVector(FIRST_VIEW, distance);
    this.controls.target.copy(target);
    this.controls.update();
    this.fitted = box;
    this.invalidate();
  }

  /** Turns the camera around the model by an angle in radians, to the sides and up. */
  turn(sideways: number, upwards: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const spherical = new Spherical().setFromVector3(offset);
    spherical.theta += sideways;
    spherical.phi = Math.min(Math.PI - 0.05, Math.max(0.05, spherical.phi - upwards));
    this.place(offset.setFromSpherical(spherical));
  }

  /** Brings the camera nearer (below 1) or farther (above 1). */
  zoom(factor: number): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const length = offset.length() * factor;
    this.place(
      offset.setLength(Math.min(this.controls.maxDistance, Math.max(this.controls.minDistance, length))),
    );
  }

  /** Keeps the model clear of a panel that covers so many pixels at the left. */
  setInset(pixels: number): void {
    if (pixels === this.inset) return;
    this.inset = pixels;
    this.resize();
  }

  /** Takes the colours of the page's theme. */
  applyTheme(): void {
    this.ground.colour = new Color(colourOf('--grid'));
    this.invalidate();
  }

  /** The present picture as PNG, on the stage's own background. */
  async capture(): Promise<Blob | null> {
    this.draw(performance.now());
    const copy = document.createElement('canvas');
    copy.width = this.canvas.width;
    copy.height = this.canvas.height;
    const context = copy.getContext('2d');
    if (!context) return null;
    context.fillStyle = colourOf('--stage-edge');
    context.fillRect(0, 0, copy.width, copy.height);
    // The drawing buffer is only sure to be there in the turn that drew it.
    context.drawImage(this.canvas, 0, 0);
    return new Promise((resolve) => copy.toBlob(resolve, 'image/png'));
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.canvas.removeEventListener('webglcontextrestored', this.onRestored);
    this.sizes.disconnect();
    this.controls.dispose();
    this.renderer.dispose();
  }

  /** A GPU that was taken away and given back has lost what was drawn into it. */
  private onRestored = (): void => {
    this.surround();
    this.invalidate(true);
  };

  private surround(): void {
    const generator = new PMREMGenerator(this.renderer);
    this.scene.environment = generator.fromScene(new RoomEnvironment(), 0.04).texture;
    this.scene.environmentIntensity = 0.5;
    generator.dispose();
  }

  private light(): void {
    this.surround();
    this.key.position.set(1.4, 3.6, 2.6);
    this.key.target.position.set(0, 0.8, 0);
    this.key.castShadow = true;
    this.key.shadow.mapSize.set(1024, 1024);
    this.key.shadow.radius = 4;
    this.key.shadow.bias = -0.0006;
    this.key.shadow.normalBias = 0.012;
    const reach = this.key.shadow.camera;
    reach.left = reach.bottom = -2.2;
    reach.right = reach.top = 2.2;
    reach.far = 9;
    this.scene.add(this.key, this.key.target, this.ground.group);
    const overBones = new DirectionalLight(0xffffff, 1.6);
    overBones.position.set(1, 2, 3);
    this.overlay.add(new HemisphereLight(0xffffff, 0x8a8f94, 2.2), overBones);
  }

  private orbit(): OrbitControls {
    const controls = new OrbitControls(this.camera, this.canvas);
    controls.enableDamping = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    controls.dampingFactor = 0.12;
    controls.minDistance = 0.15;
    controls.maxDistance = 24;
    controls.addEventListener('change', () => this.invalidate());
    controls.addEventListener('start', () => {
      this.fitted = null;
    });
    // One finger up or down scrolls the page, sideways it turns the model; two fingers move and zoom.
    this.canvas.style.touchAction = 'pan-y';
    return controls;
  }

  private place(offset: Vector3): void {
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.fitted = null;
    this.invalidate();
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, MAX_PIXEL_RATIO));
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    // Shows a view that lies half the panel's width to the left, so that its middle is that of the free part.
    this.camera.setViewOffset(clientWidth, clientHeight, -this.inset / 2, 0, clientWidth, clientHeight);
    if (this.fitted) this.fit(this.fitted);
    // Setting the size clears the canvas: draw in the same turn, or the visitor sees it blink.
    this.draw(performance.now());
  }

  private draw(now: number): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const moving = this.beforeDraw(now);
    const gliding = this.controls?.update() ?? false;
    this.renderer.clear();
    this.renderer.render(this.scene, this.camera);
    this.renderer.clearDepth();
    this.renderer.render(this.overlay, this.camera);
    this.afterDraw();
    if (moving || gliding) this.invalidate();
  }

  /** How far away the camera must be to see every corner of the box. */
  private distanceFor(box: Box3, target: Vector3, direction: Vector3): number {
    const right = new Vector3(0, 1, 0).cross(direction).normalize();
    const up = direction.clone().cross(right);
    const tall = Math.tan(((FIELD_OF_VIEW_DEG / 2) * Math.PI) / 180) / MARGIN;
    const free = 1 - this.inset / Math.max(1, this.canvas.clientWidth);
    const wide = tall * this.camera.aspect * free;
    let distance = 0;
    for (let corner = 0; corner < 8; corner++) {
      const point = new Vector3(
        corner & 1 ? box.max.x : box.min.x,
        corner & 2 ? box.max.y : box.min.y,
        corner & 4 ? box.max.z : box.min.z,
      ).sub(target);
      const across = Math.max(Math.abs(point.dot(right)) / wide, Math.abs(point.dot(up)) / tall);
      distance = Math.max(distance, across + point.dot(direction));
    }
    return distance;
  }
}
