"""fit.py SET ADAPTER CACHE [over]: ask always, log features, fit, grid."""
import sys,math,itertools,collections
import numpy as np
sys.argv_=sys.argv
exec(open("/tmp/w/sim.py").read().split('if __name__')[0])
from sklearn.linear_model import LogisticRegression
feats=[]
oj=grounding.joined
def joined(c,a,r):
    feats.append((c,a,r)); return oj(c,a,r)
def clipl(c): c=min(max(c,1e-3),1-1e-3); return math.log(c/(1-c))
def variations(s,ret,sys_,gold):
    eng=sys_.pipeline
    grounding.joined=joined
    X=[];Y=[];D=[];R=[]
    asked=upd(s,{"answer.sure":"1.0","answer.min_confidence":"0.0","answer.min_yes":"-20.0"})
    e2=Engine(asked,ret,Cached())
    rows=[]
    for q in qs:
        feats.clear()
        line=run.ask(e2,q.question,q.context_turns); line=json.loads(json.dumps(line,default=str))
        d=run_qa.direction(q,gold[q.id],sys_.texts) if q.answerable else "none "+q.language
        o=run_qa.outcome(q,line,gold[q.id]) if q.answerable else "none"
        f=feats[-1] if feats else None
        rows.append((q,d,o,f,line))
    pickle.dump([(q.id,d,o,f,l) for q,d,o,f,l in rows],open(f"/tmp/w/rows-{name}.pkl","wb"))
    use=[r for r in rows if r[3]]
    X=np.array([[clipl(f[0]),max(-6,min(6,f[1])),max(-6,min(6,f[2] or 0))] for _,_,_,f,_ in use])
    ans=np.array([r[0].answerable for r in use]); ok=np.array([r[2] in("right","incomplete") for r in use])
    from sklearn.metrics import roc_auc_score as auc
    print("n",len(use),"answerable AUC reader %.3f answered %.3f right %.3f"%tuple(auc(ans,X[:,i]) for i in range(3)))
    print("good-answer AUC reader %.3f answered %.3f right %.3f"%tuple(auc(ok,X[:,i]) for i in range(3)))
    for lab,y in(("answerable",ans),("good",ok)):
        m=LogisticRegression(C=10).fit(X,y); print(lab,m.coef_,m.intercept_,"auc",auc(y,m.predict_proba(X)[:,1]))
    c=collections.defaultdict(collections.Counter)
    for q,d,o,f,l in rows: c[d][o]+=1
    for d in c: print(d,dict(c[d]))
    grounding.joined=oj
    yield 1
list(go(s))
