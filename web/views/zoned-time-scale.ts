/**
 * The chart library thinks in UTC: it would mark a new day at UTC midnight whatever clock the labels show. This time
 * scale weighs its marks by the clock in use, so that `18 May` stands at the user's midnight, through summer-time
 * changes too, while the data keeps its true times.
 */
import {
  defaultHorzScaleBehavior,
  type IHorzScaleBehavior,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { type Zone, zoneOffsetMs } from '../model/time-format.ts';

type Points = Parameters<IHorzScaleBehavior<Time>['fillWeightsForPoints']>[0];

/** A time scale whose marks follow `zone()`; data set after a change of zone is weighed by the new one. */
export function createZonedTimeScale(zone: () => Zone): IHorzScaleBehavior<Time> {
  const Base = defaultHorzScaleBehavior();
  class ZonedTimeScale extends Base {
    override fillWeightsForPoints(points: Points, startIndex: number): void {
      // The library weighs each point against the one before it, so one more than asked for has to be shifted.
      const from = Math.max(0, startIndex - 1);
      const shifted = points.slice(from).map((point) => {
        const seconds = Number(this.key(point.time));
        const local = seconds + zoneOffsetMs(seconds * 1000, zone()) / 1000;
        return { ...point, time: this.convertHorzItemToInternal(local as UTCTimestamp) };
      });
      super.fillWeightsForPoints(shifted, startIndex - from);
      for (let i = startIndex; i < points.length; i++) points[i].timeWeight = shifted[i - from].timeWeight;
    }
  }
  return new ZonedTimeScale();
}
