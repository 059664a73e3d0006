/** Glucose fed per litre of starting volume and hour, g/(L h). */
export type FeedStrategy =
  /** Open-loop exponential feed for a set growth rate (1/h): Yee, Blanch (Bio/Technology 1992). */
  | { readonly kind: 'exponential'; readonly growthRate: number; readonly limit: number }
  | { readonly kind: 'constant'; readonly rate: number }
  /** The rate is raised by `increase` every `everyH` hours. */
  | { readonly kind: 'step'; readonly rate: number; readonly increase: number; readonly everyH: number; readonly limit: number };

/** What the operators of one batch set out to do. Temperatures in Cel, concentrations in g/L, times in h. */
export interface Recipe {
  readonly inoculum: number;
  readonly batchGlucose: number;
  readonly feedConcentration: number;
  readonly feed: FeedStrategy;
  /** Induction this long after the feed started … */
  readonly inductionAfterFeed: number;
  /** … or, where the site works by the clock, at this hour of the batch. */
  readonly inductionAtHour?: number;
  readonly growthTemperature: number;
  readonly inductionTemperature: number;
  /** Constant feed after induction, g glucose per litre of starting volume and hour. */
  readonly inductionFeed: number;
  readonly productionHours: number;
  readonly ph: number;
  /** % of saturation. */
  readonly oxygenSetpoint: number;
}

/** Things that go wrong in one batch. */
export interface BatchFaults {
  /** Hour at which a fast-growing stranger gets in. */
  readonly contaminationAtHour?: number;
  /** The dissolved-oxygen probe reads this much more (%) every hour. */
  readonly oxygenProbeDrift?: number;
  readonly feedInterruption?: { readonly fromHour: number; readonly hours: number };
}

/** g glucose per litre of starting volume and hour, `hours` after the feed started. */
export function feedDemand(recipe: Recipe, hours: number, biomassAtStart: number, yieldOxidative: number): number {
  const { feed } = recipe;
  switch (feed.kind) {
    case 'exponential':
      return Math.min(feed.limit, (feed.growthRate / yieldOxidative) * biomassAtStart * Math.exp(feed.growthRate * hours));
    case 'constant':
      return feed.rate;
    case 'step':
      return Math.min(feed.limit, feed.rate + feed.increase * Math.floor(hours / feed.everyH));
  }
}
