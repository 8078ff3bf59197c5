"""How AutoRig's learned parts are made: characters with known joints are generated, two small networks are trained on
them, measured on real characters, and written in the form the engine reads.

| module | what |
| --- | --- |
| `humans` | the CC0 bodies: shape, joints, weights |
| `geometry` | rotations, primitives, a mesh under construction |
| `body` | a posed, stylised body |
| `dress` | clothes, hair, armour, props, robots, skeletons |
| `hands` | stylised hands, and the crop the hand network sees |
| `creatures` | animals and things, for the class |
| `cloud` | points on a surface and their patches |
| `dataset` | characters to shards on disk |
| `network` | both networks |
| `learn` | training |
| `evaluate` | real characters of the benchmark |
| `export` | weights and test vectors for the engine |
"""
