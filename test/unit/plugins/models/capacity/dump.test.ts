import { it } from 'vitest';
import { capacityReport } from '../../../../../plugins/models/capacity/report.ts';
import { capacityWords } from '../../../../../plugins/models/capacity/capacity-words.ts';
import { declaredModels, FACTS } from '../../../../fixtures/service.ts';
import { dailyWeek, evenWeek } from '../../../../../core/capacity/environments/week.ts';
import { hourlyRates } from '../../../../../core/capacity/environments/minutes.ts';
import { poissonArrivals } from '../../../../../core/capacity/arrivals.ts';
it('x', () => {
  const say = (more: object, load: any, ms=50, promised=.001, limit=1000) => {
    const [model] = declaredModels({ churn: more });
    const quota = { limit, of: 'account' as const, account: { all: 1000, unreserved: limit, from: 'Lambda' } };
    console.log(capacityWords(capacityReport({ model: model!, facts: FACTS, load: {timezone:'UTC', words:'w', ...load}, quota,
      options: { promised, crowd: 10000, idle: {seconds: 300, isGiven: false}},
      times: { duration: {ms, from:'assumed'}, init: {ms: 500, from:'assumed'}}})));
  };
  say({}, {from:'declared', week: evenWeek(5)});
  say({concurrency: {provisioned: {min: 2, max: 20}, schedule: [{ days: 'mon-fri', from: '08:00', to: '20:00', timezone: 'Europe/Berlin', min: 10, max: 50 }]}}, {from:'curve', timezone: 'Europe/Berlin', week: dailyWeek(Array.from({length:24},(_, h)=> h>=8&&h<20?100:10))});
  say({}, {from:'curve', week: dailyWeek(Array.from({length:24},(_, h)=> h>=8&&h<20?100:10))}, 200);
  const a = poissonArrivals(4, 20000, 3).flatMap((at)=>[at,at,at,at,at]);
  say({}, {from:'file', rates: hourlyRates(a), replayed: {arrivals: a, words: 'file'}});
  say({}, {from:'declared', week: evenWeek(5000)}, 2);
  say({}, {from:'declared', week: evenWeek(0)});
  say({concurrency:{provisioned: 5}}, {from:'declared', week: evenWeek(100)}, 50, 0.001, 40);
});
