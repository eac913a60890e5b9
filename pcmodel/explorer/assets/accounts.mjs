// Rival accounts of what a drug's effects do to the levels of a hierarchy, as pcmodel.neuromodulation.ACCOUNTS has them.
//
// anatomy: {density2a, density1a (over the mean), kappa (receptor weights of mean 1), ends (indices of the senses)}.
// A modulation: gains and slopes by level, top-down share and temperature of activity.

const neutral = (count) => ({
  gains: new Array(count).fill(1),
  slopes: new Array(count).fill(1),
  topDown: 0,
  temperature: 1,
});

function relaxed(effect, strength, anatomy) {
  const found = neutral(anatomy.kappa.length);
  found.gains = anatomy.kappa.map((kappa, level) =>
    anatomy.ends.includes(level) ? 1 : Math.exp(-strength * kappa * effect),
  );
  return found;
}

const STRENGTHENING = 3;

export const ACCOUNTS = {
  rebus: (effects, strength, anatomy) => relaxed(effects.effect2a, strength, anatomy),
  sensory: (effects, strength, anatomy) => {
    const found = neutral(anatomy.kappa.length);
    for (const end of anatomy.ends) found.gains[end] = Math.exp(strength * effects.effect2a);
    return found;
  },
  sebus: (effects, strength, anatomy) => {
    const effect = effects.effect2a;
    return relaxed(effect - STRENGTHENING * effect * (1 - effect), strength, anatomy);
  },
  uniform: (effects, strength, anatomy) => {
    const found = neutral(anatomy.kappa.length);
    found.gains.fill(Math.exp(-strength * effects.effect2a));
    return found;
  },
  noise: (effects, strength, anatomy) => ({
    ...neutral(anatomy.kappa.length),
    temperature: Math.exp(strength * effects.effect2a),
  }),
  oneirogen: (effects, strength, anatomy) => ({
    ...neutral(anatomy.kappa.length),
    topDown: 1 - Math.exp(-strength * effects.effect2a),
  }),
  dimmer: (effects, strength, anatomy) => {
    const found = neutral(anatomy.kappa.length);
    found.slopes = anatomy.density1a.map((density, level) =>
      anatomy.ends.includes(level) ? 1 : Math.exp(-strength * density * effects.response1a),
    );
    return found;
  },
  // Errors that are passed on less settle a chain where these gains would; a share `strength` of the block counts.
  nmda_block: (effects, strength, anatomy) => {
    const count = anatomy.kappa.length;
    const found = neutral(count);
    const passed = 1 - Math.min(strength, 1) * effects.nmdaBlock;
    for (let level = 2; level < count; level++) found.gains[level] = found.gains[level - 1] / passed;
    return found;
  },
};
