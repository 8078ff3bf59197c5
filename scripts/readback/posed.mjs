// Where three.js draws the corners of a mesh's triangles now, three numbers a corner.
//
// `Vector3` is that of the three.js that made the mesh.
export function posed(mesh, Vector3) {
    const position = mesh.geometry.getAttribute("position");
    const index = mesh.geometry.index;
    const count = index ? index.count : position.count;
    const result = new Float32Array(count * 3);
    const point = new Vector3();
    for (let corner = 0; corner < count; corner++) {
        mesh.getVertexPosition(index ? index.getX(corner) : corner, point);
        point.applyMatrix4(mesh.matrixWorld);
        result.set([point.x, point.y, point.z], corner * 3);
    }
    return result;
}
