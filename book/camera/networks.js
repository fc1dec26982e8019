// The denoiser and the network of the preconditioner, run by ONNX Runtime.

/** Fetch a file, and tell how many bytes have come. */
async function bytesOf(address, tell) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: the server answers ${response.status}`);
  const content = new Uint8Array(await response.arrayBuffer());
  tell(content.length);
  return content;
}

/** Load one model, whose weights lie in a file of their own. */
async function session(ort, folder, {file, weights}, tell) {
  const [model, data] = await Promise.all([bytesOf(folder + file, tell), bytesOf(folder + weights, tell)]);
  return ort.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    externalData: [{path: weights, data}],
  });
}

/** The denoiser of a camera, and the network of its preconditioner where it has one. */
export class Networks {
  /** Load them from a folder, by the card that `python -m ddgp_lib export` wrote. */
  static async load(ort, folder, card, tell) {
    const networks = new Networks();
    const {denoiser, [card.kind]: preconditioner} = card.models;
    Object.assign(networks, {ort, card, shape: denoiser.inputs.image});
    networks.denoiser = await session(ort, folder, denoiser, tell);
    if (preconditioner === undefined) return networks;
    networks.inputs = Object.keys(preconditioner.inputs);
    networks.preconditioner = await session(ort, folder, preconditioner, tell);
    return networks;
  }

  /** Return D_σ(u). */
  denoise = (u, sigma) =>
    this.#run(this.denoiser, {image: this.#image(u), sigma: this.#number(sigma)}, "denoised");

  /** Return N_θ(∇g, z), of those inputs that the network looks at. */
  correct = (grad, z, k) => {
    const given = {grad: this.#image(grad), iterate: this.#image(z), iteration: this.#number(k)};
    const feeds = Object.fromEntries(this.inputs.map((name) => [name, given[name]]));
    return this.#run(this.preconditioner, feeds, "correction");
  };

  #image(values) {
    return new this.ort.Tensor("float32", values, this.shape);
  }

  #number(value) {
    return new this.ort.Tensor("float32", Float32Array.of(value), [1]);
  }

  async #run(model, feeds, name) {
    const made = await model.run(feeds);
    const values = Float32Array.from(made[name].data);
    Object.values(made).forEach((tensor) => tensor.dispose());
    return values;
  }
}
