import '../components/site-header';
import './task-page';
import { startLanguage } from '../i18n';

void startLanguage();
