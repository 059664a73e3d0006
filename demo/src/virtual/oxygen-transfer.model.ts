/**
 * Oxygen transfer of a stirred tank. kLa = 0.026 (P/V)^0.4 v_s^0.5 s⁻¹ for coalescing media, P/V in W/m³ and v_s in m/s:
 * van 't Riet (Industrial & Engineering Chemistry Process Design and Development 1979). Stirrer power: Rushton, Costich, Everett
 * (Chemical Engineering Progress 1950) with a constant share lost to gassing.
 */
export interface Vessel {
  /** Liquid at the start, L. */
  readonly startVolume: number;
  /** m. */
  readonly tankDiameter: number;
  readonly impellerDiameter: number;
  readonly impellers: number;
  /** /min. */
  readonly stirrer: { readonly low: number; readonly high: number };
  /** L gas per L liquid at the start and minute. */
  readonly gasFlow: { readonly low: number; readonly high: number };
  /** bar, absolute. */
  readonly pressure: number;
  /** Medium and mixing: what the correlation is multiplied by; imperfect mixing of a large tank is below 1. */
  readonly transferFactor: number;
  /** Time the jacket needs for 63 % of a temperature change, h. */
  readonly temperatureLag: number;
  /** Heat the jacket can take away, as the oxygen uptake whose heat it just balances, mmol/(L h). */
  readonly coolingLimit: number;
}

const GASSED_POWER_SHARE = 0.55;
const POWER_NUMBER = 5;
const BROTH_DENSITY = 1020;
/** Oxygen in air-saturated broth at 1 bar and 30 Cel, mmol/L; falls about 1.4 % per kelvin. */
const SATURATION_30 = 0.226;
const OXYGEN_AFFINITY_PERCENT = 1.5;

/** kLa in 1/h. `stirrer` in /min, `gasFlow` in L/min, `volume` in L. */
export function transferCoefficient(vessel: Vessel, stirrer: number, gasFlow: number, volume: number): number {
  const turns = stirrer / 60;
  const power = vessel.impellers * POWER_NUMBER * BROTH_DENSITY * turns ** 3 * vessel.impellerDiameter ** 5 * GASSED_POWER_SHARE;
  const powerPerVolume = power / (volume / 1000);
  const area = (Math.PI / 4) * vessel.tankDiameter ** 2;
  const superficialVelocity = gasFlow / 60_000 / area / vessel.pressure;
  return 0.026 * powerPerVolume ** 0.4 * superficialVelocity ** 0.5 * 3600 * vessel.transferFactor;
}

/** Dissolved oxygen in equilibrium with air at the vessel's pressure, mmol/L. */
export function oxygenSaturation(vessel: Vessel, temperature: number): number {
  return SATURATION_30 * vessel.pressure * (1 - 0.014 * (temperature - 30));
}

/**
 * Dissolved oxygen (share of saturation, 0–1) at which transfer equals uptake. Broth reaches it within a minute, far faster than anything else
 * here moves, so it is solved as an equilibrium: kLa·C*·(1 − x) = demand · x / (x + K). `demand` in mmol/(L h).
 */
export function oxygenEquilibrium(transfer: number, saturation: number, demand: number): number {
  const affinity = OXYGEN_AFFINITY_PERCENT / 100;
  const ratio = demand / Math.max(1e-9, transfer * saturation);
  const b = ratio + affinity - 1;
  return (-b + Math.sqrt(b * b + 4 * affinity)) / 2;
}

/** Share of the demand that is met at a dissolved oxygen of `x` (share of saturation). */
export function oxygenLimitation(x: number): number {
  return x / (x + OXYGEN_AFFINITY_PERCENT / 100);
}
