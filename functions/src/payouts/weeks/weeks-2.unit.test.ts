import { describeWeeks } from '../../testing/weeks/weeks.ts';

describeWeeks(2, 4);
